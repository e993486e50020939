import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import PayoutLock
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import in_parallel
from marketplace.ledger import services as ledger
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.selectors import balances, house_balance
from marketplace.ledger.testing import accounts_unlocked
from marketplace.ledger.tests.factories import fund
from marketplace.notifications.models import Notification
from marketplace.payments import cards, proofs, selectors, services
from marketplace.payments.errors import (
    AmountOutOfRange,
    BadCard,
    PaymentNotOpen,
    PayoutsLocked,
    UnknownPayment,
)
from marketplace.payments.models import PayoutDestination, Transaction

pytestmark = pytest.mark.django_db

CARD = "8600 0000 0000 0007"


@pytest.fixture
def user():
    person = UserFactory()
    fund(person, 1_000_000_00)
    return person


def withdraw(user, amount=400_000_00, key="key", card=CARD):
    return services.withdraw(user=user, amount=amount, card_number=card, idempotency_key=key)


def complete(transaction_id, **more):
    """As one of the staff who approves and sends."""
    actor = more.pop("actor", None) or StaffFactory()
    services.approve_withdrawal(transaction_id=transaction_id, actor=actor)
    return services.complete_withdrawal(transaction_id=transaction_id, actor=actor, **more)


def fail(transaction_id, reason, actor=None):
    return services.fail_withdrawal(
        transaction_id=transaction_id, actor=actor or StaffFactory(), reason=reason
    )


def test_a_withdrawal_leaves_the_wallet_at_once_and_waits(user):
    payout = withdraw(user)

    assert payout.status == Transaction.Status.PENDING
    assert balances(user).available == 600_000_00
    assert house_balance("payouts") == 400_000_00
    assert selectors.wallet_of(user).on_the_way == 400_000_00
    assert not proofs.payouts_are_accounted_for().offending


def test_a_sent_withdrawal_is_completed_once(user):
    payout = withdraw(user)

    complete(payout.pk)
    done = services.complete_withdrawal(transaction_id=payout.pk, actor=StaffFactory())

    assert done.status == Transaction.Status.COMPLETED
    assert balances(user).available == 600_000_00
    assert house_balance("payouts") == 0
    assert house_balance("clearing", "payout") == 400_000_00
    assert not proofs.completed_transactions_have_their_entry().offending


def test_a_failed_withdrawal_gives_the_money_back_once_and_says_why(user):
    payout = withdraw(user)

    fail(payout.pk, reason="The card is closed")
    fail(payout.pk, reason="again")

    assert balances(user).available == 1_000_000_00
    assert not proofs.payouts_are_accounted_for().offending
    told = Notification.objects.filter(user=user).latest("id")
    assert told.data["kind"] == "withdrawal_failed"
    assert "The card is closed" in told.message


def test_a_finished_withdrawal_does_not_end_another_way(user):
    sent, failed = withdraw(user), withdraw(user, key="other")
    complete(sent.pk)
    fail(failed.pk, reason="x")

    with pytest.raises(PaymentNotOpen):
        fail(sent.pk, reason="x")
    with pytest.raises(PaymentNotOpen):
        complete(failed.pk)
    with pytest.raises(UnknownPayment):
        complete(user.pk)


def test_the_same_key_withdraws_once_and_refuses_other_facts(user):
    assert withdraw(user).pk == withdraw(user).pk
    assert balances(user).available == 600_000_00

    with pytest.raises(KeyReused):
        withdraw(user, amount=500_000_00)
    with pytest.raises(KeyReused):
        withdraw(user, card="9860 0000 0000 0007"[:-1] + luhn_end("986000000000000"))


def luhn_end(digits):
    return next(d for d in "0123456789" if cards._luhn(digits + d))


def test_more_than_the_wallet_has_is_refused_and_nothing_stays_behind(user):
    with pytest.raises(InsufficientFunds):
        withdraw(user, amount=1_000_000_01)

    assert not Transaction.objects.exists()
    assert not PayoutDestination.objects.exists()


@pytest.mark.parametrize("amount", [0, -1, 9_999_99, 1.5, True, 10**16])
def test_amounts_outside_the_limits_are_refused(user, amount):
    with pytest.raises(AmountOutOfRange):
        withdraw(user, amount=amount)


@pytest.mark.parametrize(
    "card", ["", "8600", "8600000000000008", "0" * 16, "8600 0000 0000 000x", "٨٦٠٠" * 4, "8" * 19]
)
def test_what_is_no_card_number_is_refused(user, card):
    with pytest.raises(BadCard):
        withdraw(user, card=card)


@pytest.mark.parametrize(
    ("number", "network"),
    [("8600000000000007", "Uzcard"), ("4111-1111-1111-1111", "Visa"), ("5555 5555 5555 4444", "Mastercard")],
)
def test_a_card_is_read_with_spaces_and_dashes(number, network):
    assert cards.read(number).network == network


def test_the_card_number_is_encrypted_and_shown_by_its_last_digits(user, client, caplog):
    with caplog.at_level("DEBUG"):
        payout = withdraw(user)

    with connection.cursor() as cursor:
        cursor.execute("SELECT card_number FROM payments_payoutdestination")
        stored = cursor.fetchone()[0]
    client.force_login(user)
    page = client.get(reverse("payments:transaction", args=[payout.pk])).text
    assert "8600000000000007" not in stored
    assert payout.destination.card_number == "8600000000000007"
    assert "0007" in page
    assert "860000000000" not in page.replace(" ", "")
    assert "8600000000000007" not in caplog.text.replace(" ", "")
    assert "8600000000000007" not in repr(cards.read(CARD))


# --- Races ----------------------------------------------------------------------------------------


def both_withdraw(user):
    return in_parallel(
        lambda: withdraw(user, amount=800_000_00, key="one"),
        lambda: withdraw(user, amount=800_000_00, key="two"),
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_withdrawals_cannot_take_one_balance(user):
    results = both_withdraw(user)

    assert sorted(type(result).__name__ for result in results) == ["InsufficientFunds", "Transaction"]
    assert balances(user).available == 200_000_00
    assert Transaction.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_lock_and_law_both_withdrawals_go_through(user, monkeypatch):
    """Shows the race that the ledger's lock, and behind it the check constraint, stand against."""
    services.save_card(user=user, card_number=CARD)  # else the second waits for the first's new card
    gate = threading.Barrier(2)
    check_funds = ledger._check_funds

    def check_then_wait(*args):
        check_funds(*args)
        gate.wait(timeout=10)

    monkeypatch.setattr(ledger, "_locked", accounts_unlocked)
    monkeypatch.setattr(ledger, "_check_funds", check_then_wait)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_account DROP CONSTRAINT ledger_no_user_account_below_zero")
    try:
        results = both_withdraw(user)
        assert all(isinstance(result, Transaction) for result in results), results
        assert balances(user).available == -600_000_00
    finally:
        with connection.cursor() as cursor:  # NOT VALID: the row below zero stays until the flush
            cursor.execute(
                "ALTER TABLE ledger_account ADD CONSTRAINT ledger_no_user_account_below_zero"
                " CHECK (balance IS NULL OR balance >= 0) NOT VALID"
            )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_sent_twice_at_one_moment_is_one(user):
    results = in_parallel(lambda: withdraw(user), lambda: withdraw(user))

    assert len({result.pk for result in results}) == 1
    assert balances(user).available == 600_000_00


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_sent_and_failed_at_one_moment_end_one_way(user):
    payout = withdraw(user)

    in_parallel(
        lambda: complete(payout.pk),
        lambda: fail(payout.pk, reason="x"),
    )

    payout.refresh_from_db()
    back = 1_000_000_00 if payout.status == "failed" else 600_000_00
    assert balances(user).available == back
    assert house_balance("payouts") == 0


# --- After "this was not me" ------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [None, 5])
def test_a_locked_person_asks_for_no_payout(user, hours):
    ends_at = timezone.now() + timedelta(hours=hours) if hours else None
    PayoutLock.objects.create(user=user, ends_at=ends_at)

    with pytest.raises(PayoutsLocked):
        withdraw(user)

    assert balances(user).available == 1_000_000_00


def test_a_lock_that_is_over_or_of_somebody_else_holds_nobody(user):
    PayoutLock.objects.create(user=user, ends_at=timezone.now() - timedelta(minutes=1))
    PayoutLock.objects.create(user=user, lifted_at=timezone.now())
    PayoutLock.objects.create(user=UserFactory())

    assert withdraw(user).status == Transaction.Status.PENDING


def test_what_was_asked_before_the_lock_is_neither_approved_nor_sent(user):
    waiting, approved = withdraw(user), withdraw(user, key="other")
    staff = StaffFactory()
    services.approve_withdrawal(transaction_id=approved.pk, actor=staff)
    PayoutLock.objects.create(user=user)

    with pytest.raises(PayoutsLocked):
        services.approve_withdrawal(transaction_id=waiting.pk, actor=staff)
    with pytest.raises(PayoutsLocked):
        services.complete_withdrawal(transaction_id=approved.pk, actor=staff)
    fail(waiting.pk, "asked by a stranger", actor=staff)

    assert balances(user).available == 600_000_00
