"""The gateway playing TipTop Pay: the shop's own adapter and webhook, over the test's wire."""

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
def payment(monkeypatch):
    through_test_client(monkeypatch)
    PaymentMethod.objects.get_or_create(
        code="cloudpayments", defaults={"name": "TipTop Pay", "currency": "KZT", "min_amount": 1}
    )
    return services.start_payment(
        user=UserFactory(),
        amount=AMOUNT,
        currency="KZT",
        method_code="cloudpayments",
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
        (["decline"], 0, "pending"),
        (["decline", "pay"], AMOUNT, "completed"),
        (["twice"], AMOUNT, "completed"),
        (["disorder"], AMOUNT, "completed"),
        (["stages"], AMOUNT, "completed"),
        (["void"], 0, "cancelled"),
        (["forged"], 0, "pending"),
        (["forged", "pay"], AMOUNT, "completed"),
        (["pay", "refund"], 0, "completed"),
    ],
)
def test_each_button_moves_the_money_as_it_says(client, payment, buttons, credited, status):
    assert press(client, payment, *buttons) == credited
    assert payment.status == status
    assert all(proof.holds for proof in checks.run())


def test_every_button_is_tried_here():
    names = {button.name for button in PLAYS["cloudpayments"].buttons}

    assert names == {"pay", "decline", "twice", "disorder", "stages", "void", "forged", "refund"}


def test_asking_settles_what_no_notification_told(client, payment):
    SandboxPayment.objects.filter(order=payment.pk).update(state="paid")

    services.verify(transaction_id=payment.pk)

    assert available(payment) == AMOUNT


def test_refunds_go_back_through_the_played_company_and_count_once(client, payment):
    press(client, payment, "pay")

    for key, amount in (("a", 1_000_50), ("b", 1_500_00)):
        services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key=key)
        run_jobs()

    assert available(payment) == 0
    assert sorted(payment.refunds.values_list("status", "amount")) == [
        ("succeeded", 1_000_50),
        ("succeeded", 1_500_00),
    ]
    assert SandboxPayment.objects.get().state == "refunded"
    assert all(proof.holds for proof in checks.run())


@pytest.mark.parametrize("path", ["orders/create", "v2/payments/find", "payments/refund", "nothing"])
@pytest.mark.parametrize("body", [b"", b"\xff", b"InvoiceId=no&TransactionId=%00", b"Amount=NaN"])
def test_the_played_api_refuses_nonsense(client, path, body):
    right = "Basic cGtfdGVzdF9zYW1wbGU6Y2xvdWRwYXltZW50cy10ZXN0LXNlY3JldA=="
    for header, status in ((right, 200), ("", 401), ("Basic é", 401)):
        answer = client.generic(
            "POST", f"/sandbox/cloudpayments/api/{path}", body, headers={"Authorization": header}
        )
        assert (answer.status_code, answer.json()["Success"]) == (status, False)
    assert not SandboxPayment.objects.exists()


def test_a_page_without_its_invoice_is_not_found(client):
    for query in ("", "?invoice=", "?invoice=5", "?invoice=%00"):
        assert client.get(f"/sandbox/cloudpayments/pay/{query}").status_code == 404
