from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory, with_app
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.ledger.tests.factories import fund
from marketplace.notifications.models import Notification
from marketplace.payments import cards, selectors, services
from marketplace.payments.errors import (
    BadCard,
    BankCodeNeeded,
    CardTooNew,
    DailyLimit,
    NotApproved,
    OwnPayout,
    PaymentNotOpen,
    PayoutsFrozen,
)
from marketplace.payments.models import PayoutCard, PayoutDecision, Transaction
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

CARD, OTHER = "8600 0000 0000 0007", "9860 0000 0000 0000"


@pytest.fixture
def user():
    person = UserFactory()
    fund(person, 60_000_000_00)
    return person


def withdraw(user, amount=400_000_00, card=CARD, **more):
    key = more.pop("key", f"{card}{amount}")
    return services.withdraw(user=user, amount=amount, card_number=card, idempotency_key=key, **more)


def clerk():
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="settle_withdrawal"))
    return person


# --- Numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "kind", "network"),
    [
        ("8600 0000 0000 0007", "", "card", "Uzcard"),
        ("9860 0000 0000 0000", "", "card", "Humo"),
        ("4242-4242-4242-4242", "", "card", "Visa"),
        ("5555 5555 5555 4444", "", "card", "Mastercard"),
        ("2223 0031 2200 3222", "", "card", "Mastercard"),
        ("2020 8000 9051 2345 6001", "00014", "account", ""),
        ("kz86 125k zt50 0410 0100", "", "account", "IBAN"),
    ],
)
def test_cards_accounts_and_ibans_are_known(number, code, kind, network):
    card = cards.read(number, code)

    assert (card.kind, card.network) == (kind, network)


@pytest.mark.parametrize(
    "number",
    [
        "", "8600000000000008", "9999000000000005", "0000000000000000", "KZ87125KZT5004100100", "1" * 20, "٨" * 16,
        "5055555555555504",
    ],
)  # fmt: skip
def test_other_numbers_are_none(number):
    with pytest.raises(BadCard):
        cards.read(number)


@pytest.mark.parametrize("code", ["", "0001", "abcde", "000145"])
def test_an_account_needs_its_banks_code(code):
    with pytest.raises(BankCodeNeeded):
        cards.read("20208000905123456001", code)


# --- The pause of a new card -------------------------------------------------------------------------------


def test_a_card_that_replaces_another_waits_a_day_and_its_owner_is_told(user):
    withdraw(user)

    with pytest.raises(CardTooNew) as refused:
        withdraw(user, card=OTHER)

    saved = PayoutCard.objects.get(last_four="0000")
    assert "payouts to a new card start" in str(refused.value.message)
    assert timedelta(hours=23) < saved.usable_from - timezone.now() <= timedelta(hours=24)
    assert Transaction.objects.filter(type="withdrawal").count() == 1, "nothing half-done stays"
    assert Notification.objects.filter(user=user, data__kind="payout_card_added").exists()

    PayoutCard.objects.filter(pk=saved.pk).update(usable_from=timezone.now())
    assert withdraw(user, card=OTHER).status == "pending"


def test_removing_and_naming_a_card_again_does_not_shorten_the_pause(user):
    withdraw(user)
    card = PayoutCard.objects.get()

    services.remove_card(user=user, card_id=card.pk)

    with pytest.raises(CardTooNew):
        withdraw(user, key="again")


def test_somebody_elses_card_cannot_be_removed(user):
    withdraw(user)

    services.remove_card(user=UserFactory(), card_id=PayoutCard.objects.get().pk)

    assert PayoutCard.objects.get().removed_at is None


def test_a_card_number_is_encrypted_in_the_table(user):
    from django.db import connection

    withdraw(user)

    with connection.cursor() as cursor:
        cursor.execute("SELECT number, fingerprint FROM payments_payoutcard")
        number, fingerprint = cursor.fetchone()
    assert "8600000000000007" not in number
    assert "8600000000000007" not in fingerprint


def test_a_refused_amount_saves_no_card(user):
    from marketplace.ledger.errors import InsufficientFunds

    poor = UserFactory()
    with pytest.raises(InsufficientFunds):
        withdraw(poor)

    assert not PayoutCard.objects.filter(user=poor).exists()


# --- Limits --------------------------------------------------------------------------------------------------


def test_a_day_has_a_limit(user, settings):
    settings.WITHDRAWAL_DAILY = {"UZS": 1_000_000_00}
    first = withdraw(user, 700_000_00)

    with pytest.raises(DailyLimit) as refused:
        withdraw(user, 400_000_00)
    assert "300" in str(refused.value.message)

    services.fail_withdrawal(transaction_id=first.pk, actor=StaffFactory(), reason="x")
    assert withdraw(user, 900_000_00)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_payouts_at_once_cannot_break_the_limit_of_a_day(user, settings):
    settings.WITHDRAWAL_DAILY = {"UZS": 1_000_000_00}

    results = in_parallel(*[lambda n=n: withdraw(user, 700_000_00, key=f"k{n}") for n in range(4)])

    assert sorted(type(one).__name__ for one in results) == ["DailyLimit"] * 3 + ["Transaction"]


def test_payouts_wait_while_a_payment_is_contested(user):
    DepositFactory(user=user, contested_at=timezone.now())

    with pytest.raises(PayoutsFrozen):
        withdraw(user)


# --- The promise -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "hours"), [("free", 72), ("premium", 48), ("pro", 24)])
def test_a_payout_is_promised_by_the_plan(user, plan, hours):
    user.plan = plan
    user.save()

    payout = withdraw(user)

    promised = payout.destination.due_at - timezone.now()
    assert timedelta(hours=hours, minutes=-1) < promised <= timedelta(hours=hours)


def test_a_pro_seller_overtakes_those_who_asked_before(user):
    slow = withdraw(user)
    pro = UserFactory(plan="pro")
    fund(pro, 1_000_000_00)

    fast = withdraw(pro)

    assert list(selectors.open_payouts()) == [fast, slow]
    assert (selectors.place_in_queue(fast), selectors.place_in_queue(slow)) == (1, 2)


def test_the_person_sees_the_promise_and_the_place(user, client):
    payout = withdraw(user)
    client.force_login(user)

    page = client.get(reverse("payments:transaction", args=[payout.pk])).text

    assert "Promised by" in page
    assert "Place in the queue" in page


# --- Deciding ------------------------------------------------------------------------------------------------------


def test_a_payout_is_approved_then_sent(user):
    payout, actor = withdraw(user), clerk()
    with pytest.raises(NotApproved):
        services.complete_withdrawal(transaction_id=payout.pk, actor=actor)

    services.approve_withdrawal(transaction_id=payout.pk, actor=actor)
    services.complete_withdrawal(transaction_id=payout.pk, actor=actor, provider_id="bank-7")

    payout.refresh_from_db()
    assert (payout.status, payout.provider_transaction_id) == ("completed", "bank-7")
    assert list(payout.decisions.order_by("pk").values_list("action", flat=True)) == ["approve", "send"]
    assert all(proof.holds for proof in checks.run())


def test_a_large_payout_needs_two_people(user):
    payout = withdraw(with_app(user), 5_000_000_00)
    first, second = clerk(), clerk()
    for _time in range(2):
        services.approve_withdrawal(transaction_id=payout.pk, actor=first)
    with pytest.raises(NotApproved):
        services.complete_withdrawal(transaction_id=payout.pk, actor=first)

    services.approve_withdrawal(transaction_id=payout.pk, actor=second)

    assert services.complete_withdrawal(transaction_id=payout.pk, actor=first).status == "completed"


def test_a_large_payout_is_on_its_way_only_when_both_have_approved(user):
    payout = withdraw(with_app(user), 5_000_000_00)

    states = [
        services.approve_withdrawal(transaction_id=payout.pk, actor=clerk()).status for _person in range(2)
    ]

    assert states == ["pending", "processing"]


@pytest.mark.parametrize("end", ["sent", "failed"])
def test_nothing_more_is_decided_about_a_payout_that_is_over(user, end):
    payout, actor = withdraw(user), clerk()
    services.approve_withdrawal(transaction_id=payout.pk, actor=actor)
    facts = {"transaction_id": payout.pk, "actor": actor}
    if end == "sent":
        services.complete_withdrawal(**facts)
    else:
        services.fail_withdrawal(reason="closed", **facts)
    before = balances(user).available, payout.decisions.count()

    others = {**facts, "actor": clerk()}
    with pytest.raises(PaymentNotOpen):
        services.approve_withdrawal(**others)
    with pytest.raises(PaymentNotOpen):
        services.show_number(**others)
    other_end = (
        services.complete_withdrawal if end == "failed" else partial(services.fail_withdrawal, reason="x")
    )
    with pytest.raises(PaymentNotOpen):
        other_end(**others)

    assert (balances(user).available, payout.decisions.count()) == before
    assert all(proof.holds for proof in checks.run())


@pytest.mark.parametrize(
    "act",
    [
        services.approve_withdrawal, services.show_number, services.complete_withdrawal,
        lambda **facts: services.fail_withdrawal(reason="x", **facts),
    ],
)  # fmt: skip
def test_nobody_decides_about_money_of_their_own(act):
    staff = StaffFactory()
    fund(staff, 1_000_000_00)
    payout = withdraw(staff)

    with pytest.raises(OwnPayout):
        act(transaction_id=payout.pk, actor=staff)


def test_the_desk_is_told_of_a_new_payout(user):
    staff = clerk()
    UserFactory(is_staff=True)

    withdraw(user)
    run_jobs()

    told = Notification.objects.filter(data__kind="payout_waiting")
    assert [note.user for note in told] == [staff]


# --- Pages ---------------------------------------------------------------------------------------------------------


def desk(name="desk", *args):
    return reverse(f"payments:{name}", args=args)


def test_the_desk_is_for_its_staff_only(user, client):
    payout = withdraw(user)
    paths = [desk(), desk("desk-payout", payout.pk)]
    assert all(client.get(path).status_code == 302 for path in paths)

    client.force_login(UserFactory(is_staff=True))
    assert all(client.get(path).status_code == 403 for path in paths)
    posts = ["desk-approve", "desk-number", "desk-send", "desk-fail"]
    assert all(client.post(desk(name, payout.pk), {"reason": "x"}).status_code == 403 for name in posts)
    payout.refresh_from_db()
    assert payout.status == "pending"

    client.force_login(clerk())
    assert all(client.get(path).status_code == 200 for path in paths)


def test_a_payout_goes_through_the_desks_pages(user, client):
    payout = withdraw(user)
    client.force_login(clerk())
    page = client.get(desk("desk-payout", payout.pk)).text
    assert "8600000000000007" not in page

    shown = client.post(desk("desk-number", payout.pk)).text
    refused = client.post(desk("desk-send", payout.pk), {"number": ""})
    client.post(desk("desk-approve", payout.pk))
    sent = client.post(desk("desk-send", payout.pk), {"number": "77"}, follow=True)

    assert "8600000000000007" in shown
    assert refused.status_code == 422
    assert "not been approved" in refused.text
    assert "The payout is sent" in sent.text
    assert list(PayoutDecision.objects.order_by("pk").values_list("action", flat=True)) == [
        "show", "approve", "send",
    ]  # fmt: skip


def test_giving_the_money_back_needs_a_reason_that_the_person_reads(user, client):
    payout = withdraw(user)
    client.force_login(clerk())

    refused = client.post(desk("desk-fail", payout.pk), {"reason": " "})
    assert refused.status_code == 422
    assert "the person will read it" in refused.text

    client.post(desk("desk-fail", payout.pk), {"reason": "The card is closed"})

    assert balances(user).available == 60_000_000_00
    owner = Client()
    owner.force_login(user)
    assert "The card is closed" in owner.get(desk("transaction", payout.pk)).text


def test_the_desks_list_costs_the_same_however_long(user, client, django_assert_num_queries):
    client.force_login(StaffFactory())
    for number in range(12):
        withdraw(user, 10_000_00 + number, key=f"k{number}")

    with django_assert_num_queries(7):
        page = client.get(desk())

    assert page.text.count("promised by") == 12
    assert client.get(desk() + "?show=over&page=999").status_code == 200


def test_a_saved_card_is_chosen_on_the_form_and_the_password_is_asked_once(user, client):
    client.force_login(user)
    form = {"key": "a" * 32, "amount": "400 000", "card": "new", "card_number": CARD, "password": PASSWORD}
    client.post(desk("withdraw"), form)
    card = PayoutCard.objects.get()

    page = client.get(desk("withdraw")).text
    client.post(desk("withdraw"), {"key": "b" * 32, "amount": "500 000", "card": str(card.pk)})

    assert str(card) in page
    assert 'name="password"' not in page, "it was given a moment ago"
    assert Transaction.objects.filter(type="withdrawal").count() == 2


def test_another_persons_saved_card_cannot_be_chosen(user, client):
    withdraw(user)
    thief = UserFactory()
    fund(thief, 1_000_000_00)
    client.force_login(thief)

    answer = client.post(
        desk("withdraw"),
        {
            "key": "a" * 32,
            "amount": "400 000",
            "card": str(PayoutCard.objects.get().pk),
            "password": PASSWORD,
        },
    )

    assert answer.status_code == 422
    assert not Transaction.objects.filter(user=thief).exists()
