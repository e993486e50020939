"""The mock provider: its API for the signed-in payer, and its page in the gateway."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.payments import sandbox, services
from marketplace.payments.models import SandboxPayment, Transaction, WebhookEvent
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/mock/charge/"


@pytest.fixture
def deposit():
    return DepositFactory(payment_method__code="mock", payment_method__name="Mock")


def charge(deposit, *, user=None, **more):
    client = Client()
    client.force_login(user or deposit.user)
    body = {"transaction_id": str(deposit.pk), **more}
    return client.post(URL, data=json.dumps(body), content_type="application/json")


def available(deposit):
    return balances(deposit.user).available


def status_of(deposit):
    return Transaction.objects.get(pk=deposit.pk).status


def test_a_charge_is_paid_and_the_deposit_is_settled(deposit):
    answer = charge(deposit)

    assert answer.status_code == 200
    assert answer.json() == {"status": "paid", "transaction_id": str(deposit.pk)}
    assert status_of(deposit) == "completed"
    assert available(deposit) == 150_000_00
    assert all(proof.holds for proof in checks.run())


def test_a_charge_can_fail(deposit):
    answer = charge(deposit, status="failed")

    assert answer.json() == {"status": "failed", "transaction_id": str(deposit.pk)}
    assert (status_of(deposit), available(deposit)) == ("failed", 0)


@pytest.mark.parametrize("status", ["paid", "failed"])
def test_charging_twice_says_the_same_and_counts_once(deposit, status):
    first, second = charge(deposit, status=status), charge(deposit, status=status)

    assert (second.status_code, second.json()) == (200, first.json())
    assert JournalEntry.objects.count() == (1 if status == "paid" else 0)


@pytest.mark.parametrize(
    ("first", "then", "code"), [("paid", "failed", "already_paid"), ("failed", "paid", "payment_not_open")]
)
def test_an_end_is_final(deposit, first, then, code):
    charge(deposit, status=first)

    answer = charge(deposit, status=then)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, code)
    assert available(deposit) == (150_000_00 if first == "paid" else 0)


def test_only_the_signed_in_owner_charges(deposit):
    stranger = charge(deposit, user=UserFactory())
    nobody = Client().post(URL, data={"transaction_id": str(deposit.pk)}, content_type="application/json")

    assert (stranger.status_code, nobody.status_code) == (404, 401)
    assert nobody.json()["error"]["code"] == "not_authenticated"
    assert available(deposit) == 0


def test_a_payment_of_another_provider_is_not_charged():
    other = DepositFactory()

    assert charge(other).status_code == 404
    assert available(other) == 0


@pytest.mark.parametrize(
    "changed",
    [{"transaction_id": value} for value in (None, "", "x", [], {}, 10**60, "\0", -1)]
    + [{"status": value} for value in (None, "", "refunded", 5, [], {}, "\0")],
)
def test_bad_input_is_said_by_field(deposit, changed):
    answer = charge(deposit, **changed)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "validation_error")
    assert set(error["details"]) == set(changed)
    assert status_of(deposit) == "pending"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"NaN", b"\xff\xfe", b"1" * 6000])
def test_a_body_that_is_none_is_a_bad_request(deposit, body):
    client = Client()
    client.force_login(deposit.user)

    answer = client.generic("POST", URL, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["success"] is False


def test_an_unknown_payment_is_not_found(deposit):
    answer = charge(deposit, transaction_id=str(uuid4()))

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_where_developers_pages_are_off_nothing_is_charged(deposit, settings):
    settings.DEVELOPER_PAGES = False

    assert charge(deposit).status_code == 404
    assert Client().post(URL).status_code == 404
    assert available(deposit) == 0


def test_a_charge_costs_a_fixed_number_of_queries(deposit, django_assert_num_queries):
    client = Client()
    client.force_login(deposit.user)

    with django_assert_num_queries(17):
        client.post(URL, data={"transaction_id": str(deposit.pk)}, content_type="application/json")


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_charges_at_once_credit_once(deposit):
    answers = in_parallel(*[lambda: charge(deposit)] * 20)

    assert {answer.status_code for answer in answers} == {200}
    assert available(deposit) == 150_000_00
    assert JournalEntry.objects.count() == 1


def test_a_refund_is_given_at_once(deposit):
    charge(deposit)

    services.refund(transaction_id=deposit.pk, amount=50_000_00, reason="", idempotency_key="r")
    run_jobs()

    assert available(deposit) == 100_000_00
    assert all(proof.holds for proof in checks.run())


# --- The page ---------------------------------------------------------------------------------------------


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment():
    PaymentMethodFactory(code="mock", name="Mock")
    return services.start_payment(
        user=UserFactory(),
        amount=50_000_00,
        method_code="mock",
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


def press(client, payment, name):
    assert client.get(payment.payment_url, follow=True).status_code == 200
    at_gateway = SandboxPayment.objects.get(order=payment.pk)
    return client.post(reverse("payments:gateway-press", args=[at_gateway.pk, name]), follow=True)


@pytest.mark.parametrize(
    ("button", "status", "money"),
    [("pay", "completed", 50_000_00), ("twice", "completed", 50_000_00), ("decline", "failed", 0), ("forged", "pending", 0)],
)  # fmt: skip
def test_the_page_tells_the_shop(client, payment, wire, button, status, money):
    assert press(client, payment, button).status_code == 200

    assert (status_of(payment), available(payment)) == (status, money)


@pytest.mark.parametrize(
    ("old", "new"), [("order=", "x="), ("currency=UZS", "currency=EUR"), ("amount=", "amount=-")]
)
def test_an_address_that_says_nothing_is_not_served(client, payment, old, new):
    assert client.get(payment.payment_url.replace(old, new)).status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"NaN", b"{}", b'{"transaction_id": 5, "status": "paid"}', b'{"status": "paid"}', b"\xff"]
)  # fmt: skip
def test_a_signed_call_that_says_nothing_is_a_bad_request(deposit, body):
    url = "/api/v1/payments/webhooks/mock/"
    headers = sandbox.signed_headers(body, at=timezone.now())

    assert Client().generic("POST", url, body, headers=headers).status_code == 400
    assert Client().generic("POST", url, body).status_code == 401
    assert WebhookEvent.objects.filter(status="failed").count() == 2
