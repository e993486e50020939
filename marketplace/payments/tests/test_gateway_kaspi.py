"""The gateway as Kaspi: its page, and each button over the real protocol."""

import pytest
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt, SandboxPayment
from marketplace.payments.tests.factories import PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment():
    PaymentMethodFactory(code="kaspi", name="Kaspi.kz", currency="KZT")
    return services.start_payment(
        user=UserFactory(),
        amount=2500_50,
        currency="KZT",
        method_code="kaspi",
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
    return balances(payment.user, "KZT").available


def test_paying_credits_the_wallet_in_tenge(client, payment, wire):
    at_gateway = press(client, payment, "pay")

    assert (at_gateway.state, at_gateway.currency) == ("paid", "KZT")
    assert available(payment) == 2500_50
    assert [call[::2] for call in wire] == [("GET", 200)] * 2
    assert all(proof.holds for proof in checks.run())


def test_declining_leaves_the_payment_open(client, payment, wire):
    press(client, payment, "decline")
    assert available(payment) == 0

    press(client, payment, "pay")
    assert available(payment) == 2500_50


@pytest.mark.parametrize(("button", "calls"), [("twice", 4), ("disorder", 2)])
def test_repeats_and_disorder_count_the_money_once(client, payment, wire, button, calls):
    press(client, payment, button)

    assert len(wire) == calls
    assert available(payment) == 2500_50


def test_a_forged_call_is_not_believed(client, payment, wire):
    press(client, payment, "forged")

    assert {call[2] for call in wire} == {404}
    assert available(payment) == 0
    assert not PaymentAttempt.objects.exists()


@pytest.mark.parametrize("changed", [("2500.50", "NaN"), ("2500.50", "0"), ("account=", "x=")])
def test_an_address_that_says_nothing_is_not_served(client, payment, changed):
    assert client.get(payment.payment_url.replace(*changed)).status_code == 404
