"""The gateway playing Stripe: the shop's own adapter and webhook, over the test's wire."""

import pytest
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.gateway.plays import PLAYS
from marketplace.payments.models import SandboxPayment, Transaction
from marketplace.payments.tests.factories import PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db

AMOUNT = 150_000_00


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment(wire):
    PaymentMethodFactory(code="stripe", name="Stripe")
    return services.start_payment(
        user=UserFactory(),
        amount=AMOUNT,
        method_code="stripe",
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


def press(client, payment, *names):
    page = client.get(Transaction.objects.get(pk=payment.pk).metadata["payment_url"], follow=True)
    assert page.status_code == 200
    at_gateway = SandboxPayment.objects.get(order=payment.pk)
    for name in names:
        assert client.post(reverse("payments:gateway-press", args=[at_gateway.pk, name])).status_code == 302
    payment.refresh_from_db()
    return balances(payment.user).available


def test_the_payment_is_opened_by_the_played_api(payment, wire):
    assert wire == [("POST", "/sandbox/stripe/api/v1/checkout/sessions", 200)]
    assert payment.payment_url.startswith("http://testserver/sandbox/stripe/pay/?session=cs_test_")


@pytest.mark.parametrize(
    ("buttons", "credited", "status"),
    [
        (["pay"], AMOUNT, "completed"),
        (["decline"], 0, "pending"),
        (["decline", "pay"], AMOUNT, "completed"),
        (["expire"], 0, "cancelled"),
        (["later"], AMOUNT, "completed"),
        (["twice"], AMOUNT, "completed"),
        (["disorder"], AMOUNT, "completed"),
        (["forged"], 0, "pending"),
        (["forged", "pay"], AMOUNT, "completed"),
        (["pay", "refund"], 0, "completed"),
        (["pay", "part"], AMOUNT / 2, "completed"),
        (["pay", "part", "refund"], 0, "completed"),
        (["pay", "contest", "won"], AMOUNT, "completed"),
        (["pay", "contest", "lost"], 0, "completed"),
    ],
)
def test_each_button_moves_the_money_as_it_says(client, payment, buttons, credited, status):
    assert press(client, payment, *buttons) == credited
    assert payment.status == status
    assert all(proof.holds for proof in checks.run())


def test_every_button_is_tried_here():
    tried = {
        "pay",
        "decline",
        "expire",
        "later",
        "twice",
        "disorder",
        "forged",
        "refund",
        "part",
        "contest",
        "won",
        "lost",
    }

    assert {button.name for button in PLAYS["stripe"].buttons} == tried


def test_asking_settles_what_no_event_told(client, payment, wire):
    SandboxPayment.objects.filter(order=payment.pk).update(state="paid")

    services.verify(transaction_id=payment.pk)

    payment.refresh_from_db()
    assert payment.status == "completed"
    assert wire[-1][0] == "GET"


def test_a_refund_of_ours_is_told_back_and_counts_once(client, payment):
    press(client, payment, "pay")

    for key, amount in (("a", 50_000_00), ("b", 100_000_00)):
        services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key=key)
        run_jobs()

    assert balances(payment.user).available == 0
    assert set(payment.refunds.values_list("status", flat=True)) == {"succeeded"}
    assert SandboxPayment.objects.get().state == "refunded"
    assert JournalEntry.objects.count() == 5
    assert all(proof.holds for proof in checks.run())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "v1/checkout/sessions/cs_no"), ("POST", "v1/refunds"), ("GET", "v1/nothing"), ("POST", "v1/checkout/sessions"),
        ("DELETE", "v1/checkout/sessions/x"), ("POST", "v1/checkout/sessions/x/expire"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"a=%00", b"payment_intent=x&amount=y", b"client_reference_id=no"]
)
def test_the_played_api_refuses_nonsense_in_stripes_words(client, method, path, body):
    for key, expected in (("sk_test_sample", {400, 404, 200}), ("sk_guess", {401})):
        answer = client.generic(
            method, f"/sandbox/stripe/api/{path}", body, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code in expected
    assert not SandboxPayment.objects.exists()


def test_a_page_without_its_session_is_not_found(client):
    for query in ("", "?session=", "?session=cs_no", "?session=%00"):
        assert client.get(f"/sandbox/stripe/pay/{query}").status_code == 404
