"""The gateway as Click: its page, each button over the real protocol, and the Merchant API that our adapter asks."""

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt, SandboxPayment, Transaction
from marketplace.payments.providers import click
from marketplace.payments.tests.factories import PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment():
    PaymentMethodFactory(code="click", name="Click")
    return services.start_payment(
        user=UserFactory(),
        amount=33_139_73,
        method_code="click",
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


def press(client, payment, name):
    page = client.get(payment.payment_url, follow=True)
    assert page.status_code == 200
    at_gateway = SandboxPayment.objects.get(order=payment.pk)
    answer = client.post(reverse("payments:gateway-press", args=[at_gateway.pk, name]), follow=True)
    assert answer.status_code == 200
    at_gateway.refresh_from_db()
    return at_gateway


def available(payment):
    return balances(payment.user).available


def status_of(payment):
    return Transaction.objects.get(pk=payment.pk).status


def test_paying_credits_the_wallet(client, payment, wire):
    at_gateway = press(client, payment, "pay")

    assert at_gateway.state == "paid"
    assert available(payment) == 33_139_73
    assert [call[1:] for call in wire] == [("/api/v1/payments/webhooks/click/", 200)] * 2
    assert all(proof.holds for proof in checks.run())


def test_declining_closes_the_payment(client, payment, wire):
    at_gateway = press(client, payment, "decline")

    assert (at_gateway.state, status_of(payment)) == ("declined", "failed")
    assert available(payment) == 0


@pytest.mark.parametrize(("button", "calls"), [("twice", 4), ("disorder", 3)])
def test_repeats_and_disorder_count_the_money_once(client, payment, wire, button, calls):
    press(client, payment, button)

    assert len(wire) == calls
    assert available(payment) == 33_139_73


def test_a_forged_call_is_not_believed_and_the_payment_can_still_be_paid(client, payment, wire):
    press(client, payment, "forged")
    assert available(payment) == 0
    assert not PaymentAttempt.objects.exists()

    press(client, payment, "pay")
    assert available(payment) == 33_139_73


def test_a_failure_that_is_told_afterwards_takes_nothing(client, payment, wire):
    press(client, payment, "pay")
    press(client, payment, "late")

    assert available(payment) == 33_139_73


def test_a_lost_complete_is_found_by_asking(client, payment, wire):
    press(client, payment, "lost")
    assert available(payment) == 0

    services.verify(transaction_id=payment.pk)

    assert available(payment) == 33_139_73
    assert wire[-1][0] == "GET"


def test_a_refund_is_reversed_at_the_gateway(client, payment, wire):
    press(client, payment, "pay")

    services.refund(transaction_id=payment.pk, amount=33_139_73, reason="", idempotency_key="r")
    run_jobs()

    assert SandboxPayment.objects.get().state == "refunded"
    assert available(payment) == 0
    assert all(proof.holds for proof in checks.run())


def test_the_merchant_api_answers_the_merchant_only(client, payment, wire):
    press(client, payment, "pay")
    path = f"payment/status_by_mti/12345/{payment.pk}/2026-03-14"
    url = reverse("payments:gateway-api", args=["click", path])
    right = click.auth_header("77777", "click-test-secret", at=timezone.now())

    for header in ("", "x", "77777:x:1", "77777:x:1773482966", right.replace("7", "8", 1), f"{right}é"):
        assert client.get(url, headers={"Auth": header}).json()["error_code"] == -1
    assert client.get(url, headers={"Auth": right}).json()["payment_status"] == 2
    unknown = reverse("payments:gateway-api", args=["click", "payment/status_by_mti/12345/x/y"])
    assert client.get(unknown, headers={"Auth": right}).json()["error_code"] == -16
    assert client.delete(url, headers={"Auth": right}).json()["error_code"] == -500


@pytest.mark.parametrize(
    "changed", [("service_id=12345", "service_id=1"), ("33139.73", "NaN"), ("33139.73", "-1"), ("transaction_param=", "x=")]
)  # fmt: skip
def test_an_address_that_says_nothing_is_not_served(client, payment, changed):
    assert client.get(payment.payment_url.replace(*changed)).status_code == 404
