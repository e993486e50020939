import pytest
from django.db import connection, transaction

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.money import MAX_MINOR
from marketplace.core.testing import in_parallel
from marketplace.ledger import accounts, selectors, services
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.models import Account, JournalEntry, Posting
from marketplace.ledger.testing import accounts_unlocked
from marketplace.ledger.tests.factories import fund

pytestmark = pytest.mark.django_db


def hold(user, amount, key="hold"):
    return services.post(
        "hold",
        key=key,
        currency="UZS",
        legs={accounts.available(user.pk): -amount, accounts.held(user.pk): amount},
    )


def test_a_post_moves_money_between_accounts():
    user = UserFactory()
    fund(user, 1000)

    entry = hold(user, 300)

    assert selectors.balances(user) == selectors.Balances(available=700, held=300)
    assert entry.postings.count() == 2
    assert user.balance == 700


def test_a_repeat_of_the_key_returns_the_entry_and_moves_nothing():
    user = UserFactory()
    fund(user, 1000)

    first = hold(user, 800)
    again = hold(user, 800)

    assert again == first
    assert selectors.balances(user).held == 800


@pytest.mark.parametrize("change", ["amount", "kind", "currency", "account"])
def test_a_key_that_names_another_movement_is_refused(change):
    user, other = UserFactory(), UserFactory()
    fund(user, 1000)
    fund(user, 1000, "USD")
    fund(other, 1000)
    hold(user, 300)
    amount = 301 if change == "amount" else 300
    whose = other if change == "account" else user

    with pytest.raises(KeyReused):
        services.post(
            "refund" if change == "kind" else "hold",
            key="hold",
            currency="USD" if change == "currency" else "UZS",
            legs={accounts.available(whose.pk): -amount, accounts.held(whose.pk): amount},
        )


def test_nobody_spends_more_than_they_have():
    user = UserFactory()
    fund(user, 1000)

    with pytest.raises(InsufficientFunds):
        hold(user, 1001)

    assert selectors.balances(user) == selectors.Balances(available=1000)
    assert JournalEntry.objects.count() == 1


def test_a_refusal_leaves_the_callers_transaction_usable():
    user = UserFactory()
    fund(user, 1000)

    with transaction.atomic():
        with pytest.raises(InsufficientFunds):
            hold(user, 1001)
        hold(user, 1000)

    assert selectors.balances(user).held == 1000


@pytest.mark.parametrize(
    "legs",
    [
        {},
        {"a": 100},
        {"a": 100, "b": -99},
        {"a": 1.0, "b": -1.0},
        {"a": True, "b": -1},
        {"a": 0, "b": 0},
        {"a": MAX_MINOR + 1, "b": -MAX_MINOR - 1},
    ],
)
def test_legs_that_are_a_bug_are_refused(legs):
    refs = {"a": accounts.COMMISSION, "b": accounts.REFUNDS}

    with pytest.raises(ValueError):
        services.post(
            "adjustment", key="k", currency="UZS", legs={refs[name]: amount for name, amount in legs.items()}
        )

    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize(("key", "currency"), [("", "UZS"), ("k" * 201, "UZS"), ("k", "EUR")])
def test_a_post_needs_a_key_and_a_known_currency(key, currency):
    with pytest.raises(ValueError):
        services.post(
            "adjustment", key=key, currency=currency, legs={accounts.COMMISSION: 1, accounts.REFUNDS: -1}
        )


def test_a_leg_of_nothing_is_left_out():
    buyer, seller = UserFactory(), UserFactory()
    fund(buyer, 100)

    entry = services.post(
        "release",
        key="k",
        currency="UZS",
        legs={accounts.available(buyer.pk): -100, accounts.available(seller.pk): 100, accounts.COMMISSION: 0},
    )

    assert entry.postings.count() == 2


def test_the_house_balance_is_the_sum_of_its_postings():
    fund(UserFactory(), 1000)
    fund(UserFactory(), 500)

    assert selectors.house_balance("clearing", "test") == -1500
    assert selectors.house_balance("commission") == 0


def test_history_is_ones_own_newest_first(django_assert_num_queries):
    user = UserFactory()
    fund(user, 1000)
    fund(UserFactory(), 1000)
    hold(user, 300)

    with django_assert_num_queries(1):
        rows = [(row.entry.kind, row.account.kind, row.amount) for row in selectors.history(user)]

    assert sorted(rows[:2]) == [("hold", "available", -300), ("hold", "held", 300)]
    assert rows[2:] == [("deposit", "available", 1000)]


@pytest.mark.django_db(transaction=True)
def test_a_post_takes_four_queries_once_the_accounts_are_known(django_assert_num_queries):
    user, seller = UserFactory(), UserFactory()
    fund(user, 1000)
    legs = {accounts.held(user.pk): -100, accounts.available(seller.pk): 90, accounts.COMMISSION: 10}
    hold(user, 300)
    services.post("release", key="first", currency="UZS", legs=legs)

    with transaction.atomic(), django_assert_num_queries(4):
        services.post("release", key="second", currency="UZS", legs=legs)


@pytest.mark.django_db(transaction=True)
def test_a_house_account_that_was_rolled_back_is_not_remembered():
    user = UserFactory()
    with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 (the roll-back is the point)
        fund(user, 1000)
        raise RuntimeError

    fund(user, 1000)

    assert selectors.house_balance("clearing", "test") == -1000


# --- Races ----------------------------------------------------------------------------------------


def both_hold(user):
    return in_parallel(lambda: hold(user, 800, "one"), lambda: hold(user, 800, "two"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_posts_cannot_spend_one_balance():
    user = UserFactory()
    fund(user, 1000)
    hold(user, 1, "accounts are there")

    results = both_hold(user)

    assert sorted(type(result).__name__ for result in results) == ["InsufficientFunds", "JournalEntry"]
    assert selectors.balances(user) == selectors.Balances(available=199, held=801)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_lock_and_law_the_balance_is_spent_twice(monkeypatch):
    """Shows the race that the lock, and behind it the check constraint, stand against."""
    import threading

    user = UserFactory()
    fund(user, 1000)
    hold(user, 1, "accounts are there")
    gate = threading.Barrier(2)
    check_funds = services._check_funds

    def check_then_wait(*args):
        check_funds(*args)
        gate.wait(timeout=10)

    monkeypatch.setattr(services, "_locked", accounts_unlocked)
    monkeypatch.setattr(services, "_check_funds", check_then_wait)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_account DROP CONSTRAINT ledger_no_user_account_below_zero")
    try:
        results = both_hold(user)
        assert all(isinstance(result, JournalEntry) for result in results)
        assert selectors.balances(user).available == -601
    finally:
        with connection.cursor() as cursor:  # NOT VALID: the row below zero stays until the flush
            cursor.execute(
                "ALTER TABLE ledger_account ADD CONSTRAINT ledger_no_user_account_below_zero"
                " CHECK (balance IS NULL OR balance >= 0) NOT VALID"
            )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_law_still_refuses_the_second(monkeypatch):
    user = UserFactory()
    fund(user, 1000)
    hold(user, 1, "accounts are there")
    monkeypatch.setattr(services, "_check_funds", lambda *_args: None)

    results = both_hold(user)

    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "JournalEntry"]
    assert selectors.balances(user).available == 199


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_moves_money_once():
    user = UserFactory()
    fund(user, 1000)
    hold(user, 1, "accounts are there")

    results = in_parallel(*[lambda: hold(user, 300, "same")] * 4)

    assert len({result.pk for result in results}) == 1
    assert selectors.balances(user).held == 301


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_first_posts_of_a_newcomer_make_their_accounts_once():
    user = UserFactory()

    results = in_parallel(*[lambda: fund(user, 100)] * 4)

    assert all(isinstance(result, JournalEntry) for result in results), results
    assert selectors.balances(user).available == 400
    assert Account.objects.filter(owner=user).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_crossing_posts_do_not_lock_up():
    one, two = UserFactory(), UserFactory()
    fund(one, 1000)
    fund(two, 1000)

    def send(giver, taker, key):
        legs = {accounts.available(giver.pk): -10, accounts.available(taker.pk): 10}
        return services.post("adjustment", key=key, currency="UZS", legs=legs)

    calls = [lambda n=n: send(one, two, f"a{n}") for n in range(3)] + [
        lambda n=n: send(two, one, f"b{n}") for n in range(3)
    ]
    results = in_parallel(*calls)

    assert all(isinstance(result, JournalEntry) for result in results), results
    assert selectors.balances(one).available == 1000
    assert Posting.objects.count() == 16
