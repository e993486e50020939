from uuid import uuid4

import pytest
from django.utils import timezone

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.selectors import balances, house_balance
from marketplace.ledger.tests.factories import fund, spend
from marketplace.notifications.models import Notification
from marketplace.payments import proofs, providers, selectors, services
from marketplace.payments.errors import (
    PaymentMismatch,
    PaymentNotOpen,
    ProviderUnavailable,
    RefundNotPossible,
    RefundRefused,
    RefundTooLarge,
)
from marketplace.payments.models import Debt, Refund, Transaction
from marketplace.payments.providers.base import Cancel, Contest, Settle
from marketplace.payments.providers.base import Refund as RefundCommand
from marketplace.payments.providers.sandbox import SandboxProvider
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db


class Refunding(SandboxProvider):
    """A provider that gives money back when asked, as far as the test says."""

    can_refund = can_refund_part = True
    says: object = "re_1"
    asked: list = []

    def refund(self, refund):
        self.asked.append(refund.pk)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def provider(monkeypatch):
    monkeypatch.setattr(Refunding, "says", "re_1")
    monkeypatch.setattr(Refunding, "asked", [])
    monkeypatch.setattr(providers, "get", lambda _code: Refunding())
    return Refunding


def paid(amount=150_000_00, **facts):
    payment = DepositFactory(amount=amount, **facts)
    services.act(Settle(payment.pk, f"sb-{payment.pk}", amount), "sandbox")
    payment.refresh_from_db()
    return payment


def give_back(payment, amount, key=None):
    return services.refund(
        transaction_id=payment.pk,
        amount=amount,
        reason="A mistake",
        actor=StaffFactory(),
        idempotency_key=key or uuid4().hex,
    )


def taken_back(payment, **facts):
    return services.act(RefundCommand(payment.pk, f"sb-{payment.pk}", "UZS", **facts), "sandbox")


def books_hold():
    assert [proof.rule for proof in checks.run() if not proof.holds] == []


# --- Ours ---------------------------------------------------------------------------------------------------


def test_a_refund_leaves_the_wallet_at_once_and_goes_to_the_method(provider):
    payment = paid()

    row = give_back(payment, 50_000_00)
    assert (balances(payment.user).available, house_balance("refunds")) == (100_000_00, 50_000_00)
    run_jobs()

    row.refresh_from_db()
    assert (row.status, row.provider_refund_id) == ("succeeded", "re_1")
    assert house_balance("refunds") == 0
    assert house_balance("clearing", "sandbox") == -100_000_00
    kinds = set(Notification.objects.filter(user=payment.user).values_list("data__kind", flat=True))
    assert {"refund_started", "refund_sent"} <= kinds
    books_hold()


def test_what_the_provider_refuses_is_back_in_the_wallet(provider, monkeypatch):
    monkeypatch.setattr(Refunding, "says", RefundRefused("too late"))
    payment = paid()

    row = give_back(payment, 150_000_00)
    run_jobs()

    row.refresh_from_db()
    payment.refresh_from_db()
    assert (row.status, row.error) == ("failed", "too late")
    assert balances(payment.user).available == 150_000_00
    assert payment.refunded == 0
    books_hold()


def test_a_provider_that_does_not_answer_is_asked_again(provider, monkeypatch):
    monkeypatch.setattr(Refunding, "says", ProviderUnavailable("down"))
    payment = paid()
    row = give_back(payment, 150_000_00)
    run_jobs(rounds=1)
    row.refresh_from_db()
    assert row.status == "initiated"
    monkeypatch.setattr(Refunding, "says", "re_2")
    Refund.objects.update(created_at=timezone.now() - timezone.timedelta(hours=2))

    assert services.sweep_refunds(at=timezone.now()) == 1

    row.refresh_from_db()
    assert row.status == "succeeded"


def test_a_refund_happens_once_however_often_it_is_asked_for(provider):
    payment = paid()

    first = give_back(payment, 60_000_00, key="k")
    again = give_back(payment, 60_000_00, key="k")
    for _time in range(3):
        services.send_refund(refund_id=first.pk)

    assert first.pk == again.pk
    assert provider.asked == [first.pk]
    assert balances(payment.user).available == 90_000_00
    with pytest.raises(KeyReused):
        give_back(payment, 50_000_00, key="k")


@pytest.mark.parametrize("amount", [0, -1, 150_000_01, 10**30, 1.5, True, None])
def test_never_more_than_was_captured(provider, amount):
    payment = paid()

    with pytest.raises(RefundTooLarge):
        give_back(payment, amount)


def test_parts_add_up_to_the_whole_at_most(provider):
    payment = paid()
    give_back(payment, 100_000_00)

    with pytest.raises(RefundTooLarge):
        give_back(payment, 50_000_01)
    give_back(payment, 50_000_00)

    payment.refresh_from_db()
    assert payment.refunded == payment.amount


def test_the_database_itself_bounds_what_is_refunded():
    from django.db import IntegrityError, transaction

    payment = paid()

    with pytest.raises(IntegrityError), transaction.atomic():
        Transaction.objects.filter(pk=payment.pk).update(refunded=payment.amount + 1)


def test_money_that_is_spent_cannot_be_given_back_by_us(provider):
    payment = paid()
    spend(payment.user, 120_000_00)

    with pytest.raises(InsufficientFunds):
        give_back(payment, 150_000_00)
    assert not Refund.objects.exists()


def test_a_provider_that_gives_nothing_back_is_not_asked(monkeypatch):
    payment = paid()

    with pytest.raises(RefundNotPossible):
        give_back(payment, 150_000_00)


def test_an_open_payment_has_nothing_to_give_back(provider):
    with pytest.raises(PaymentNotOpen):
        give_back(DepositFactory(), 1_000_00)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_refunds_at_once_give_back_no_more_than_was_paid(provider):
    payment = paid()

    results = in_parallel(*[lambda: give_back(payment, 20_000_00)] * 20)

    names = [type(result).__name__ for result in results]
    assert names.count("Refund") == 7
    assert balances(payment.user).available == 10_000_00
    books_hold()


# --- The provider's -----------------------------------------------------------------------------------------------


def test_a_refund_of_the_provider_leaves_the_wallet_once():
    payment = paid()

    taken_back(payment, amount=50_000_00, refund_id="r1")
    again = taken_back(payment, amount=50_000_00, refund_id="r1")

    assert again.is_repeat
    assert balances(payment.user).available == 100_000_00
    assert house_balance("clearing", "sandbox") == -100_000_00
    books_hold()


def test_totals_count_what_is_new_in_them():
    payment = paid()

    for total in (50_000_00, 50_000_00, 150_000_00, 50_000_00):
        taken_back(payment, total=total)

    payment.refresh_from_db()
    assert payment.refunded == 150_000_00
    assert balances(payment.user).available == 0
    assert payment.attempts.get().state == "refunded"
    books_hold()


def test_spent_money_becomes_a_visible_debt_and_no_account_falls_below_zero(client):
    payment = paid()
    spend(payment.user, 110_000_00)

    taken_back(payment, amount=150_000_00, refund_id="r1")

    debt = Debt.objects.get()
    assert (debt.amount, debt.outstanding) == (110_000_00, 110_000_00)
    assert balances(payment.user).available == 0
    assert house_balance("debts") == -110_000_00
    assert selectors.debts_of(payment.user) == 110_000_00
    told = Notification.objects.filter(user=payment.user).latest("id")
    assert told.data["kind"] == "money_owed"
    client.force_login(payment.user)
    assert "You owe 110\u00a0000" in client.get("/wallet/").text
    assert "You owe 110\u00a0000" in client.get("/wallet/withdraw/").text
    books_hold()


def test_the_next_money_repays_the_debt_first():
    payment = paid()
    user = payment.user
    spend(user, 150_000_00)
    taken_back(payment, amount=150_000_00, refund_id="r1")

    paid(100_000_00, user=user)
    assert (balances(user).available, selectors.debts_of(user)) == (0, 50_000_00)
    paid(80_000_00, user=user)

    assert (balances(user).available, selectors.debts_of(user)) == (30_000_00, 0)
    assert Debt.objects.get().repaid_at is not None
    assert house_balance("debts") == 0
    lines = Transaction.objects.filter(user=user, type="debt").order_by("pk").values_list("amount", flat=True)
    assert list(lines) == [100_000_00, 50_000_00]
    books_hold()


def owing(amount=150_000_00, **facts):
    """Somebody who owes all of a payment, with nothing in the wallet."""
    payment = paid(amount, **facts)
    spend(payment.user, amount)
    taken_back(payment, amount=amount, refund_id=f"r-{payment.pk}")
    return payment.user


def test_the_oldest_debt_is_repaid_first():
    user = UserFactory()
    payments = [paid(amount, user=user) for amount in (100_000_00, 60_000_00)]
    spend(user, 160_000_00)
    for payment in payments:
        taken_back(payment, amount=payment.amount, refund_id=f"r-{payment.pk}")

    fund(user, 120_000_00)
    services.collect_debts(user_id=user.pk, currency="UZS")

    assert [debt.outstanding for debt in Debt.objects.order_by("pk")] == [0, 40_000_00]
    books_hold()


def test_a_debt_is_repaid_in_its_own_currency_only():
    payment = DepositFactory(amount=10_000_00, currency="KZT")
    number = f"sb-{payment.pk}"
    services.act(Settle(payment.pk, number, 10_000_00, "KZT"), "sandbox")
    spend(payment.user, 10_000_00, currency="KZT")
    services.act(RefundCommand(payment.pk, number, "KZT", amount=10_000_00, refund_id="r"), "sandbox")
    fund(payment.user, 900_000_00)

    assert services.collect_debts(user_id=payment.user_id, currency="KZT") == 0
    assert services.collect_debts(user_id=payment.user_id, currency="UZS") == 0

    assert (selectors.debts_of(payment.user, "KZT"), selectors.debts_of(payment.user)) == (10_000_00, 0)
    assert balances(payment.user).available == 900_000_00


def test_a_payout_takes_only_what_is_left_after_the_debts():
    user = owing()
    fund(user, 400_000_00)  # not through a service that collects
    facts = {"user": user, "card_number": "8600000000000007"}

    with pytest.raises(InsufficientFunds):
        services.withdraw(amount=300_000_00, idempotency_key="w", **facts)
    services.withdraw(amount=200_000_00, idempotency_key="v", **facts)

    assert (balances(user).available, selectors.debts_of(user)) == (50_000_00, 0)
    books_hold()


def test_a_payout_that_comes_back_repays_a_debt_that_was_made_meanwhile():
    payment = paid()
    payout = services.withdraw(
        user=payment.user, amount=150_000_00, card_number="8600000000000007", idempotency_key="w"
    )
    taken_back(payment, amount=100_000_00, refund_id="r1")

    services.fail_withdrawal(transaction_id=payout.pk, actor=StaffFactory(), reason="closed")

    assert (balances(payment.user).available, selectors.debts_of(payment.user)) == (50_000_00, 0)
    books_hold()


def test_a_refund_that_comes_back_repays_a_debt_that_was_made_meanwhile(provider, monkeypatch):
    monkeypatch.setattr(Refunding, "says", RefundRefused("too late"))
    payment = paid()
    give_back(payment, 50_000_00)
    spend(payment.user, 100_000_00)
    taken_back(payment, amount=30_000_00, refund_id="r1")
    assert selectors.debts_of(payment.user) == 30_000_00

    run_jobs()

    assert (balances(payment.user).available, selectors.debts_of(payment.user)) == (20_000_00, 0)
    books_hold()


def test_a_debt_that_does_not_match_the_books_is_found():
    payment = paid()
    spend(payment.user, 150_000_00)
    taken_back(payment, amount=150_000_00, refund_id="r1")
    assert proofs.debts_are_accounted_for().holds

    Debt.objects.update(amount=140_000_00)

    assert not proofs.debts_are_accounted_for().holds


def test_our_own_refund_told_back_to_us_is_not_counted_twice(provider):
    payment = paid()
    row = give_back(payment, 50_000_00)

    taken_back(payment, amount=50_000_00, refund_id="re_1")
    run_jobs()
    taken_back(payment, total=50_000_00)

    row.refresh_from_db()
    assert row.status == "succeeded"
    assert balances(payment.user).available == 100_000_00
    books_hold()


@pytest.mark.parametrize("facts", [{"amount": 150_000_01}, {"total": 10**20}, {"amount": 0}, {"amount": -5}])
def test_more_than_was_captured_is_kept_for_a_person(facts):
    payment = paid()

    with pytest.raises(PaymentMismatch):
        taken_back(payment, **facts)
    assert balances(payment.user).available == 150_000_00


def test_a_contested_payment_freezes_payouts_until_it_is_decided():
    from marketplace.payments.errors import PayoutsFrozen

    payment = paid(1_000_000_00)
    contested = Contest(payment.pk, f"sb-{payment.pk}")

    services.act(contested, "sandbox")
    assert services.act(contested, "sandbox").is_repeat
    with pytest.raises(PayoutsFrozen):
        services.withdraw(
            user=payment.user, amount=100_000_00, card_number="8600000000000007", idempotency_key="w"
        )
    services.act(Contest(payment.pk, f"sb-{payment.pk}", is_over=True), "sandbox")

    assert services.withdraw(
        user=payment.user, amount=100_000_00, card_number="8600000000000007", idempotency_key="w"
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_debt_is_repaid_once_by_money_that_comes_from_two_sides():
    payment = paid()
    user = payment.user
    spend(user, 150_000_00)
    taken_back(payment, amount=150_000_00, refund_id="r1")
    others = [DepositFactory(amount=100_000_00, user=user) for _one in range(4)]

    in_parallel(
        *[lambda p=p: services.act(Settle(p.pk, f"sb-{p.pk}", p.amount), "sandbox") for p in others],
        lambda: services.collect_debts(user_id=user.pk, currency="UZS"),
    )

    assert (balances(user).available, selectors.debts_of(user)) == (250_000_00, 0)
    books_hold()


def test_a_cancelled_try_that_was_paid_gives_all_of_the_rest_back():
    payment = paid()
    taken_back(payment, amount=50_000_00, refund_id="r1")

    services.act(Cancel(payment.pk, f"sb-{payment.pk}", closes=False, takes_back=True, code=5), "sandbox")

    payment.refresh_from_db()
    assert payment.refunded == payment.amount
    assert balances(payment.user).available == 0
    fund(payment.user, 1)
    books_hold()
