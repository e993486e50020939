"""The gateway as Paynet: its page, and each button over the real protocol."""

import pytest
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt, SandboxPayment
from marketplace.payments.providers.base import ChangeSecret
from marketplace.payments.tests.factories import PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment():
    PaymentMethodFactory(code="paynet", name="Paynet")
    return services.start_payment(
        user=UserFactory(),
        amount=50_000_00,
        method_code="paynet",
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


def press(client, payment, name):
    assert client.get(payment.payment_url, follow=True).status_code == 200
    at_gateway = SandboxPayment.objects.get(order=payment.pk)
    answer = client.post(reverse("payments:gateway-press", args=[at_gateway.pk, name]), follow=True)
    assert answer.status_code == 200
    at_gateway.refresh_from_db()
    return at_gateway


def available(payment):
    return balances(payment.user).available


def test_paying_credits_the_wallet(client, payment, wire):
    at_gateway = press(client, payment, "pay")

    assert (at_gateway.state, at_gateway.return_url) == ("paid", "http://testserver/wallet/")
    assert available(payment) == 50_000_00
    assert [call[2] for call in wire] == [200, 200, 200]
    assert all(proof.holds for proof in checks.run())


def test_declining_leaves_the_payment_open(client, payment, wire):
    press(client, payment, "decline")
    assert available(payment) == 0

    press(client, payment, "pay")
    assert available(payment) == 50_000_00


@pytest.mark.parametrize(("button", "calls"), [("twice", 6), ("disorder", 5)])
def test_repeats_and_disorder_count_the_money_once(client, payment, wire, button, calls):
    press(client, payment, button)

    assert len(wire) == calls
    assert available(payment) == 50_000_00


def test_a_forged_call_is_not_believed(client, payment, wire):
    press(client, payment, "forged")

    assert {call[2] for call in wire} == {401}
    assert available(payment) == 0
    assert not PaymentAttempt.objects.exists()


def test_giving_the_money_back_takes_it_from_the_wallet(client, payment, wire):
    press(client, payment, "pay")
    at_gateway = press(client, payment, "refund")

    assert at_gateway.state == "refunded"
    assert available(payment) == 0
    assert all(proof.holds for proof in checks.run())


def test_the_gateway_knows_a_changed_password(client, payment, wire):
    services.act(ChangeSecret("n3w-pass-word"), "paynet")

    press(client, payment, "pay")

    assert available(payment) == 50_000_00


@pytest.mark.parametrize(
    "changed", [("m=1", "m=2"), ("a=5000000", "a=x"), ("a=5000000", "a=٥"), ("c=", "x=")]
)
def test_an_address_that_says_nothing_is_not_served(client, payment, changed):
    assert client.get(payment.payment_url.replace(*changed)).status_code == 404
