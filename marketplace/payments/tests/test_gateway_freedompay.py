"""The gateway playing FreedomPay: the shop's own adapter and webhook, over the test's wire."""

import pytest
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.gateway.plays import PLAYS
from marketplace.payments.models import PaymentMethod, SandboxPayment, Transaction
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db

AMOUNT = 2_500_50


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment(wire):
    PaymentMethod.objects.get_or_create(
        code="freedompay", defaults={"name": "FreedomPay", "currency": "KZT", "min_amount": 1}
    )
    return services.start_payment(
        user=UserFactory(),
        amount=AMOUNT,
        currency="KZT",
        method_code="freedompay",
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


def available(payment):
    payment.refresh_from_db()
    return balances(payment.user, "KZT").available


def press(client, payment, *names):
    page = client.get(Transaction.objects.get(pk=payment.pk).metadata["payment_url"], follow=True)
    assert page.status_code == 200
    at_gateway = SandboxPayment.objects.get(order=payment.pk)
    for name in names:
        client.post(reverse("payments:gateway-press", args=[at_gateway.pk, name]))
    return available(payment)


@pytest.mark.parametrize(
    ("buttons", "credited", "status"),
    [
        (["pay"], AMOUNT, "completed"),
        (["decline"], 0, "failed"),
        (["twice"], AMOUNT, "completed"),
        (["disorder"], AMOUNT, "completed"),
        (["late"], AMOUNT, "completed"),
        (["forged"], 0, "pending"),
        (["forged", "pay"], AMOUNT, "completed"),
    ],
)
def test_each_button_moves_the_money_as_it_says(client, payment, buttons, credited, status):
    assert press(client, payment, *buttons) == credited
    assert payment.status == status
    assert all(proof.holds for proof in checks.run())


def test_every_button_is_tried_here():
    names = {button.name for button in PLAYS["freedompay"].buttons}

    assert names == {"pay", "decline", "twice", "disorder", "late", "forged"}


def test_asking_settles_what_no_call_told(client, payment):
    SandboxPayment.objects.filter(order=payment.pk).update(state="paid")

    services.verify(transaction_id=payment.pk)

    assert available(payment) == AMOUNT


def test_refunds_go_back_through_the_played_company(client, payment):
    press(client, payment, "pay")

    for key, amount in (("a", 1_000_50), ("b", 1_500_00)):
        services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key=key)
        run_jobs()

    assert available(payment) == 0
    assert set(payment.refunds.values_list("status", flat=True)) == {"succeeded"}
    assert SandboxPayment.objects.get().state == "refunded"


@pytest.mark.parametrize("script", ["init_payment.php", "get_status3.php", "revoke.php", "nothing", "a/b"])
@pytest.mark.parametrize("body", [b"", b"\xff", b"pg_merchant_id=511867", b"pg_payment_id=%00&pg_sig=x"])
def test_the_played_api_refuses_nonsense_in_freedompays_words(client, script, body):
    answer = client.generic("POST", f"/sandbox/freedompay/api/{script}", body)

    assert answer.status_code == 200
    assert b"<pg_status>error<" in answer.content
    assert not SandboxPayment.objects.exists()


def test_a_page_without_its_payment_is_not_found(client):
    for query in ("", "?payment=", "?payment=5", "?payment=%00"):
        assert client.get(f"/sandbox/freedompay/pay/{query}").status_code == 404
