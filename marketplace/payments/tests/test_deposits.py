import threading
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.selectors import balances, house_balance
from marketplace.ledger.services import post
from marketplace.ledger.tests.factories import fund
from marketplace.notifications.models import Notification
from marketplace.payments import proofs, purposes, selectors, services
from marketplace.payments.errors import (
    AlreadyPaid,
    AmountOutOfRange,
    MethodNotAvailable,
    PaymentMismatch,
    ProviderUnavailable,
    UnknownPayment,
)
from marketplace.payments.models import PaymentMethod, Transaction, WebhookEvent
from marketplace.payments.providers.base import Cancel, Settle
from marketplace.payments.providers.sandbox import SandboxProvider
from marketplace.payments.services import deposits
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload

pytestmark = pytest.mark.django_db


def settle(payment, *, provider="sandbox", **changed):
    facts = {"provider_id": "sb-1", "amount": payment.amount, "currency": payment.currency}
    return services.act(Settle(payment.pk, **{**facts, **changed}), provider).payment


def test_a_settled_payment_is_in_the_wallet_and_points_to_its_entry():
    payment = DepositFactory(amount=150_000_00)

    settled = settle(payment)

    assert balances(payment.user).available == 150_000_00
    assert house_balance("clearing", "sandbox") == -150_000_00
    assert settled.status == Transaction.Status.COMPLETED
    assert settled.journal_entry.reference == payment.pk
    assert settled.provider_transaction_id == "sb-1"


def test_settling_twice_credits_once():
    payment = DepositFactory(amount=150_000_00)

    settle(payment)
    settle(payment)

    assert balances(payment.user).available == 150_000_00


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"amount": 149_999_99}, PaymentMismatch),
        ({"currency": "USD"}, PaymentMismatch),
        ({"provider": "payme"}, UnknownPayment),
    ],
)
def test_a_settlement_that_differs_from_the_payment_credits_nothing(changed, error):
    payment = DepositFactory(amount=150_000_00)

    with pytest.raises(error):
        settle(payment, **changed)

    assert balances(payment.user).available == 0


def test_a_completed_payment_is_neither_failed_nor_cancelled():
    payment = DepositFactory()
    settle(payment)

    with pytest.raises(AlreadyPaid):
        services.cancel(transaction_id=payment.pk)
    with pytest.raises(AlreadyPaid):
        services.act(Cancel(payment.pk, "sb-1"), "sandbox")
    with pytest.raises(AlreadyPaid):
        services.act(Cancel(payment.pk, "sb-2"), "sandbox")

    payment.refresh_from_db()
    assert payment.status == Transaction.Status.COMPLETED


def test_another_provider_id_for_a_completed_payment_is_a_mismatch():
    payment = DepositFactory()
    settle(payment)

    with pytest.raises(PaymentMismatch):
        settle(payment, provider_id="sb-2")


def test_the_purpose_acts_in_the_transaction_of_the_settlement(monkeypatch):
    seen = []
    purpose = purposes.Purpose(
        lock=lambda paid: seen.append(("lock", balances(paid.user).available)),
        settle=lambda paid: seen.append(("settle", balances(paid.user).available, paid.status)),
    )
    monkeypatch.setitem(purposes._purposes, "test", purpose)

    settle(DepositFactory(purpose="test", amount=70_000_00))

    assert seen == [("lock", 0), ("settle", 70_000_00, "completed")]


def start(user, **changed):
    PaymentMethodFactory()
    return services.start_payment(
        **{"user": user, "amount": 150_000_00, "method_code": "sandbox", "idempotency_key": "key", **changed}
    )


def test_a_payment_starts_pending_with_an_address_to_pay_at():
    user = UserFactory()

    payment = start(user)

    assert payment.status == Transaction.Status.PENDING
    assert "/sandbox/?" in payment.payment_url
    assert balances(user).available == 0


def test_the_same_key_is_the_same_payment_and_another_amount_under_it_is_refused():
    user = UserFactory()

    assert start(user).pk == start(user).pk
    with pytest.raises(KeyReused):
        start(user, amount=160_000_00)
    assert start(UserFactory()).pk != start(user).pk
    assert Transaction.objects.count() == 2


@pytest.mark.parametrize("amount", [0, -5, 999_99, 50_000_000_01, 10**16, 1.5, True, "100000"])
def test_amounts_outside_the_limits_are_refused(amount):
    with pytest.raises(AmountOutOfRange):
        start(UserFactory(), amount=amount)

    assert not Transaction.objects.exists()


@pytest.mark.parametrize("code", ["payme", "nobody"])
def test_methods_without_a_provider_are_not_offered(code, settings):
    settings.PAYMENT_PROVIDERS = {"sandbox": settings.PAYMENT_PROVIDERS["sandbox"]}
    PaymentMethodFactory(code="payme", is_active=True)

    with pytest.raises(MethodNotAvailable):
        start(UserFactory(), method_code=code)
    assert [method.code for method in selectors.active_methods()] == ["sandbox"]


def test_a_switched_off_method_or_another_currency_is_not_offered():
    PaymentMethodFactory()
    with pytest.raises(MethodNotAvailable):
        start(UserFactory(), currency="USD")
    PaymentMethod.objects.update(is_active=False)

    with pytest.raises(MethodNotAvailable):
        start(UserFactory())


def test_a_provider_that_was_down_is_asked_again_under_the_same_key(monkeypatch):
    user = UserFactory()

    def down(*_args):
        raise ProviderUnavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxProvider, "create_payment", down)
        with pytest.raises(ProviderUnavailable):
            start(user)

    assert start(user).payment_url
    assert Transaction.objects.count() == 1


def test_a_history_row_of_another_app_points_to_its_entry_and_is_written_once():
    user = UserFactory()
    entry = fund(user, 5000)

    for _time in range(2):
        services.record(
            user=user, type="refund", amount=5000, currency="UZS", entry=entry, description="x" * 300
        )

    assert Transaction.objects.get(user=user).status == Transaction.Status.COMPLETED
    assert checks_hold()


def checks_hold():
    return not proofs.completed_transactions_have_their_entry().offending


def test_a_history_row_with_another_amount_than_its_entry_is_found_by_reconcile():
    user = UserFactory()
    services.record(user=user, type="refund", amount=4999, currency="UZS", entry=fund(user, 5000))

    assert not checks_hold()


def test_secrets_are_refused_in_a_methods_configuration():
    method = PaymentMethodFactory()
    method.config = {"secret_key": "x"}

    with pytest.raises(ValidationError):
        method.full_clean()


def test_operations_are_logged_without_secrets(caplog, settings):
    with caplog.at_level("INFO", logger="marketplace.payments"):
        settle(start(UserFactory()))

    assert "settled: 15000000 UZS" in caplog.text
    assert settings.SANDBOX_SECRET not in caplog.text


# --- Races ----------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_webhook_twice_at_one_moment_credits_once():
    payment = DepositFactory(amount=150_000_00)
    event = payload(payment)

    answers = in_parallel(*[lambda: deliver(event)] * 3)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert balances(payment.user).available == 150_000_00
    assert WebhookEvent.objects.get().deliveries == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_different_events_of_one_payment_at_one_moment_credit_once():
    payment = DepositFactory(amount=150_000_00)
    events = [payload(payment) for _event in range(3)]

    answers = in_parallel(*[lambda event=event: deliver(event) for event in events])

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert balances(payment.user).available == 150_000_00


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_settling_twice_at_one_moment_credits_once_and_tells_once():
    payment = DepositFactory(amount=150_000_00)

    results = in_parallel(lambda: settle(payment), lambda: settle(payment))

    assert all(isinstance(result, Transaction) for result in results), results
    assert balances(payment.user).available == 150_000_00
    run_jobs()
    assert Notification.objects.filter(user=payment.user).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_the_row_lock_the_database_itself_refuses_a_second_credit(monkeypatch):
    """Shows the race that the lock on the payment stands against, and what stands behind it: one captured try."""
    payment = DepositFactory(amount=150_000_00)
    gate = threading.Barrier(2)

    def unlocked(transaction_id, **_kwargs):
        found = Transaction.objects.select_related("payment_method", "user").get(pk=transaction_id)
        gate.wait(timeout=10)
        return found

    def post_under_any_key(kind, *, key, **kwargs):
        return post(kind, key=f"{key}:{uuid4()}", **kwargs)

    monkeypatch.setattr(deposits, "locked", unlocked)
    monkeypatch.setattr(deposits, "post", post_under_any_key)

    results = in_parallel(
        lambda: settle(payment, provider_id="sb-1"), lambda: settle(payment, provider_id="sb-2")
    )

    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "Transaction"]
    assert balances(payment.user).available == 150_000_00


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_one_moment_is_one_payment():
    user = UserFactory()
    PaymentMethodFactory()

    results = in_parallel(lambda: start(user), lambda: start(user))

    assert len({result.pk for result in results}) == 1
