import pytest

from marketplace.ledger.selectors import balances, house_balance
from marketplace.payments import services
from marketplace.payments.models import Transaction
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db


def settle(payment, **changed):
    facts = {
        "provider": "sandbox",
        "provider_id": "sb-1",
        "amount": payment.amount,
        "currency": payment.currency,
    }
    return services.settle(transaction_id=payment.pk, **{**facts, **changed})


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
