"""CloudPayments (TipTop Pay): its signed notifications over HTTP to our webhook, and our calls against its answers."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlencode

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import http
from marketplace.core.testing import in_parallel
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.errors import PaymentMismatch, ProviderUnavailable
from marketplace.payments.models import PaymentAttempt, PaymentMethod, Refund, WebhookEvent
from marketplace.payments.providers import cloudpayments
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/cloudpayments/"
SECRET = "cloudpayments-test-secret"
VECTOR = (
    b"TransactionId=504&Amount=2500.00&Currency=KZT&DateTime=2026-03-14%2010%3A09%3A26&CardFirstSix=411111&CardLastFour=1111"
    b"&TestMode=1&Status=Completed&OperationType=Payment&InvoiceId=1042&AccountId=user_7"
)


def mac(message, secret=SECRET):
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


@pytest.fixture
def deposit():
    return DepositFactory(
        amount=2_500_00,
        currency="KZT",
        payment_method__code="cloudpayments",
        payment_method__name="TipTop Pay",
    )


def facts(deposit, **changed):
    fields = {
        "TransactionId": "504",
        "Amount": "2500.00",
        "Currency": "KZT",
        "DateTime": "2026-03-14 10:09:26",
        "Status": "Completed",
        "OperationType": "Payment",
        "InvoiceId": str(deposit.pk),
        "AccountId": str(deposit.user_id),
        **changed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def send(
    body, action="pay", *, headers=None, secret=SECRET, content_type="application/x-www-form-urlencoded"
):
    url = f"{URL}{action}/" if action else URL
    signed = {"Content-HMAC": mac(body, secret)} if headers is None else headers
    return Client().post(url, data=body, content_type=content_type, headers=signed)


def tell(action, deposit, **changed):
    answer = send(urlencode(facts(deposit, **changed)).encode(), action)
    assert answer.status_code == 200
    assert set(answer.json()) == {"code"}
    return answer.json()["code"]


def available(deposit):
    return balances(deposit.user, "KZT").available


def status(deposit):
    deposit.refresh_from_db()
    return deposit.status


def last():
    return WebhookEvent.objects.order_by("-pk").first()


# --- The reference's vectors ----------------------------------------------------------------------------------


def test_the_signatures_are_the_documents_examples():
    raw, decoded = (
        "dYuKa3lLS8XtuBPCd5Wtjn6BgKFG0zVR4GwIA7N3Ms0=",
        "1WvSzXE5A6ZIN9EJuNyPbnEvDccCXdsLY2ybkSOAJyQ=",
    )

    assert cloudpayments.signature(VECTOR, "CPAPISECRET01") == raw
    assert cloudpayments.signature(unquote(VECTOR.decode()).encode(), "CPAPISECRET01") == decoded
    for headers in ({"Content-HMAC": raw}, {"X-Content-HMAC": decoded}, {"X-Content-HMAC": raw}):
        assert cloudpayments.is_signed(VECTOR, headers, "CPAPISECRET01")
    for headers in ({}, {"Content-HMAC": decoded}, {"Content-HMAC": raw[:-2]}, {"X-Content-HMAC": "é"}):
        assert not cloudpayments.is_signed(VECTOR, headers, "CPAPISECRET01")


# --- Signatures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["check", "pay", "fail", "refund", "confirm", "cancel", ""])
def test_a_wrong_or_missing_signature_is_refused_and_moves_nothing(deposit, kind):
    body = urlencode(facts(deposit, Token="t")).encode()

    for headers in ({}, {"Content-HMAC": ""}, {"Content-HMAC": "é"}, {"Content-HMAC": mac(body, "guess")}):
        answer = send(body, kind, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"code": 13})
    assert send(body + b"&a=1", kind, headers={"Content-HMAC": mac(body)}).status_code == 401
    assert (available(deposit), status(deposit)) == (0, "pending")
    assert set(WebhookEvent.objects.values_list("signature_ok", flat=True)) == {False}


@pytest.mark.parametrize("header", ["Content-HMAC", "X-Content-HMAC"])
def test_either_header_is_enough(deposit, header):
    body = urlencode(facts(deposit, Name="A B")).encode()
    text = unquote(body.decode()).encode() if header.startswith("X") else body

    assert send(body, headers={header: mac(text)}).json() == {"code": 0}
    assert available(deposit) == 2_500_00


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"a", b"%ff=1", b"a=1&" * 300, b"TransactionId=%00", b"TransactionId="]
)
@pytest.mark.parametrize("kind", ["check", "pay", "fail", "refund", "confirm", "cancel", "", "steal"])
def test_a_body_that_makes_no_sense_breaks_nothing(body, kind):
    answer = send(body, kind)

    assert answer.status_code == 200
    assert answer.json()["code"] in {0, 13}
    assert last().status == "failed"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"Amount": NaN}', b'{"TransactionId": "\\u0000"}', b"[" * 30_000]
)
def test_json_that_cannot_be_read_is_refused(body):
    answer = send(body, content_type="application/json")

    assert (answer.status_code, answer.json()) == (200, {"code": 13})


def test_a_body_beyond_the_limit_is_not_read():
    assert send(b"a=" + b"x" * 70_000).status_code == 413


# --- Check --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["2500", "2500.0", "2500.00"])
def test_a_payment_that_may_be_made(deposit, amount):
    assert tell("check", deposit, Amount=amount) == 0
    assert tell("check", deposit, Amount=amount) == 0
    assert (available(deposit), status(deposit)) == (0, "pending")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"InvoiceId": "no-such"}, 10), ({"InvoiceId": None}, 10), ({"InvoiceId": "٠" * 36}, 10),
        ({"InvoiceId": "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"}, 10), ({"AccountId": "somebody"}, 11),
        ({"Amount": "2500.01"}, 12), ({"Amount": "NaN"}, 12), ({"Amount": "-2500"}, 12), ({"Amount": "2.5e3"}, 12),
        ({"Amount": "2500.001"}, 12), ({"Amount": "1" * 40}, 12), ({"Amount": None}, 12), ({"Amount": "\x00"}, 12),
        ({"Currency": "UZS"}, 12), ({"Currency": None}, 12), ({"TransactionId": None}, 13), ({"TransactionId": "a b"}, 13),
    ],
)  # fmt: skip
def test_each_reason_to_refuse_has_its_code(deposit, changed, code):
    assert tell("check", deposit, **changed) == code


def test_an_account_that_is_not_named_is_no_fault(deposit):
    assert tell("check", deposit, AccountId=None) == 0


def test_a_paid_deposit_cannot_be_paid_and_one_that_was_given_up_is_over(deposit):
    tell("pay", deposit)
    other = DepositFactory(amount=2_500_00, currency="KZT", payment_method__code="cloudpayments")
    services.cancel(transaction_id=other.pk)

    assert tell("check", deposit, TransactionId="505") == 13
    assert tell("check", other) == 20


def test_a_deposit_of_another_provider_is_unknown():
    other = DepositFactory(amount=2_500_00)

    assert tell("check", other, Currency="UZS") == 10


def test_a_check_costs_few_queries(deposit, django_assert_num_queries):
    with django_assert_num_queries(8):  # four of them are the savepoints of a test's transaction
        assert tell("check", deposit) == 0


# --- Pay ----------------------------------------------------------------------------------------------------------


def test_a_payment_credits_the_wallet_once_however_often_it_is_told(deposit):
    for _time in range(5):
        assert tell("pay", deposit) == 0

    assert available(deposit) == 2_500_00
    assert JournalEntry.objects.count() == 1
    assert WebhookEvent.objects.get().deliveries == 5
    assert PaymentAttempt.objects.get().provider_id == "504"
    assert all(proof.holds for proof in checks.run())


def test_json_notifications_are_the_same(deposit):
    fields = {**facts(deposit), "TransactionId": 504, "Amount": 2500.00, "TestMode": True, "Data": {"a": 1}}
    body = json.dumps(fields).encode()

    answer = send(body, content_type="application/json; charset=utf-8")

    assert answer.json() == {"code": 0}
    assert available(deposit) == 2_500_00


@pytest.mark.parametrize(
    "amount", ["2500.0000001", "1e3", "25000000e-4", "true", "null", "[2500]", '"x"', "2499"]
)
def test_json_amounts_are_read_exactly(deposit, amount):
    text = json.dumps({**facts(deposit), "Amount": "AMOUNT"}).replace('"AMOUNT"', amount)

    assert send(text.encode(), content_type="application/json").json() == {"code": 0}
    assert (last().status, available(deposit)) == ("failed", 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"Amount": "2500.01"}, {"Amount": "NaN"}, {"Amount": "Infinity"}, {"Amount": "-2500"}, {"Amount": "0"},
        {"Amount": "2.5e3"}, {"Amount": "1" * 40}, {"Amount": None}, {"Currency": "UZS"}, {"Currency": None},
        {"InvoiceId": "no-such"}, {"InvoiceId": None}, {"InvoiceId": "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"},
        {"TransactionId": None}, {"TransactionId": "x" * 200}, {"Status": "Declined"}, {"Status": None}, {"Status": "\x00" * 5},
    ],
)  # fmt: skip
def test_what_is_not_our_payment_is_acknowledged_and_kept_for_a_person(deposit, changed):
    assert tell("pay", deposit, **changed) == 0
    assert (last().status, available(deposit)) == ("failed", 0)


@pytest.mark.parametrize(
    "changed", [{"Amount": "2500.01"}, {"Amount": None}, {"Currency": "UZS"}, {"InvoiceId": "no-such"}]
)
def test_a_confirmation_of_something_else_is_acknowledged_and_kept(deposit, changed):
    assert tell("confirm", deposit, **changed) == 0
    assert (last().status, available(deposit)) == ("failed", 0)


def test_another_payment_of_a_paid_deposit_is_kept_for_a_person(deposit):
    tell("pay", deposit)

    assert tell("pay", deposit, TransactionId="505") == 0
    assert (last().status, available(deposit)) == ("failed", 2_500_00)


def test_money_for_a_deposit_that_was_given_up_counts_all_the_same(deposit):
    services.cancel(transaction_id=deposit.pk)

    tell("pay", deposit)

    assert available(deposit) == 2_500_00


def test_a_declined_card_is_not_the_end(deposit):
    assert tell("fail", deposit, Status="Declined", Reason="InsufficientFunds\x00", ReasonCode="5051") == 0
    assert (last().status, status(deposit)) == ("ignored", "pending")
    assert "5051" in last().error

    tell("pay", deposit, TransactionId="505")
    assert available(deposit) == 2_500_00


def test_two_stages_credit_when_the_money_is_taken(deposit):
    tell("pay", deposit, Status="Authorized")
    assert (status(deposit), available(deposit)) == ("processing", 0)

    assert tell("confirm", deposit) == 0
    assert tell("confirm", deposit) == 0
    assert (status(deposit), available(deposit)) == ("completed", 2_500_00)


def test_held_money_that_is_let_go_cancels_the_deposit(deposit):
    tell("pay", deposit, Status="Authorized")

    assert tell("cancel", deposit) == 0
    assert (status(deposit), available(deposit)) == ("cancelled", 0)
    assert tell("confirm", deposit) == 0
    assert available(deposit) == 0
    assert last().status == "failed", "a person looks"


def test_a_cancellation_that_comes_late_changes_nothing(deposit):
    tell("pay", deposit)

    assert tell("cancel", deposit) == 0
    assert (status(deposit), available(deposit)) == ("completed", 2_500_00)


# --- One address for all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Token", "AuthCode", "GatewayName", "TotalFee", "Rrn"])
def test_at_the_bare_address_a_pay_is_known_by_what_only_it_carries(deposit, name):
    assert tell("", deposit, **{name: "1"}) == 0
    assert available(deposit) == 2_500_00


def test_at_the_bare_address_what_may_be_a_check_credits_nothing(deposit):
    assert tell("", deposit) == 0
    assert available(deposit) == 0


def test_a_setting_says_that_the_bare_address_takes_pays(deposit, settings):
    settings.PAYMENT_CONFIG = {
        **settings.PAYMENT_CONFIG,
        "cloudpayments": {**settings.PAYMENT_CONFIG["cloudpayments"], "bare_kind": "pay"},
    }

    assert tell("", deposit) == 0
    assert available(deposit) == 2_500_00


def test_at_the_bare_address_failures_and_refunds_are_known_by_their_fields(deposit):
    assert tell("", deposit, ReasonCode="5051", Reason="no") == 0
    assert last().status == "ignored"
    tell("pay", deposit)

    assert tell("", deposit, OperationType="Refund", TransactionId="600", PaymentTransactionId="504") == 0
    assert available(deposit) == 0


# --- Refunds, as they tell them -----------------------------------------------------------------------------------------


def refunded(deposit, number="600", amount="1000.00", **changed):
    return tell(
        "refund",
        deposit,
        **{
            "TransactionId": number, "PaymentTransactionId": "504", "Amount": amount, "OperationType": "Refund",
            "Currency": None, "Status": None, **changed,
        },
    )  # fmt: skip


def test_refunds_leave_the_wallet_once_each(deposit):
    tell("pay", deposit)
    for _time in range(3):
        assert refunded(deposit) == 0
    assert refunded(deposit, "601", "1500.00") == 0

    assert available(deposit) == 0
    assert Refund.objects.count() == 2
    assert all(proof.holds for proof in checks.run())


def test_a_refund_that_overtakes_its_payment_is_told_again(deposit):
    assert refunded(deposit) == 13
    tell("pay", deposit)

    assert refunded(deposit) == 0
    assert available(deposit) == 1_500_00


@pytest.mark.parametrize(
    "changed", [{"amount": "2500.01"}, {"amount": "x"}, {"amount": "-1"}, {"PaymentTransactionId": ""}]
)
def test_a_refund_that_cannot_be_is_kept_for_a_person(deposit, changed):
    tell("pay", deposit)

    assert refunded(deposit, **changed) == 0
    assert (last().status, available(deposit)) == ("failed", 2_500_00)


def test_a_refund_of_nothing_we_know_is_kept_for_a_person(deposit):
    assert refunded(deposit, InvoiceId="", PaymentTransactionId="999") == 0
    assert last().status == "failed"


def test_a_crash_of_ours_is_told_again_and_counts_once(deposit, monkeypatch):
    from marketplace.payments.services import webhooks

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
        answer = send(urlencode(facts(deposit)).encode())
    assert answer.status_code == 500

    assert tell("pay", deposit) == 0
    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))
    assert available(deposit) == 2_500_00


def test_stored_calls_hold_no_secret(deposit):
    tell("pay", deposit)

    row = WebhookEvent.objects.get()
    assert SECRET not in str(row.headers) + bytes(row.body).decode() + str(row.answer_body)


# --- Our calls ------------------------------------------------------------------------------------------------------------


class Api:
    def __init__(self):
        self.calls = []
        self.answers = {}

    def say(self, path, body, http_status=200):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = http.Reply(http_status, text)

    def send(self, method, url, *, body=None, headers=None):
        path = url.split("/api/", 1)[1] if "/api/" in url else url.split("/", 3)[3]
        self.calls.append((path, dict(parse_qsl(body.decode(), keep_blank_values=True)), dict(headers)))
        reply = self.answers.get(path)
        if reply is None:
            raise http.NoAnswer("nobody there")
        return reply


@pytest.fixture
def api(monkeypatch):
    api = Api()
    monkeypatch.setattr(http, "send", api.send)
    return api


def start():
    PaymentMethod.objects.get_or_create(
        code="cloudpayments", defaults={"name": "TipTop Pay", "currency": "KZT", "min_amount": 1}
    )
    return services.start_payment(
        user=UserFactory(language="ru"),
        amount=2_500_50,
        currency="KZT",
        method_code="cloudpayments",
        idempotency_key="k",
        return_url="https://shop.example/wallet/",
    )


def test_the_authorization_is_the_documents_example(api, deposit, settings):
    settings.PAYMENT_CONFIG = {
        **settings.PAYMENT_CONFIG,
        "cloudpayments": {
            "public_id": "pk_test_0001",
            "secret": "CPAPISECRET01",
            "api_url": "https://api.tiptoppay.kz",
        },
    }
    api.say("v2/payments/find", {"Success": False, "Message": "Not found", "Model": None})

    services.verify(transaction_id=deposit.pk)

    assert api.calls[0][2]["Authorization"] == "Basic cGtfdGVzdF8wMDAxOkNQQVBJU0VDUkVUMDE="


def test_an_invoice_is_ordered_with_all_that_matters(api):
    api.say(
        "orders/create", {"Success": True, "Model": {"Id": "o1", "Url": "https://orders.tiptoppay.kz/d/o1"}}
    )

    payment = start()

    _path, fields, headers = api.calls[0]
    assert fields.pop("Description")
    assert fields == {
        "Amount": "2500.50", "Currency": "KZT", "InvoiceId": str(payment.pk), "AccountId": str(payment.user_id),
        "RequireConfirmation": "false", "SendEmail": "false", "CultureName": "ru-RU",
        "SuccessRedirectUrl": "https://shop.example/wallet/", "FailRedirectUrl": "https://shop.example/wallet/",
    }  # fmt: skip
    assert headers["X-Request-ID"] == f"{payment.pk}:create"
    assert payment.payment_url == "https://orders.tiptoppay.kz/d/o1"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b'{"Success": "true"}', {"Success": False, "Message": "no\x01", "Model": None},
        {"Success": True, "Model": None}, {"Success": True, "Model": {"Url": "javascript:alert(1)"}},
        {"Success": True, "Model": {"Url": 5}},
    ],
)  # fmt: skip
def test_an_answer_that_orders_nothing_is_unavailable(api, body):
    api.say("orders/create", body)

    with pytest.raises(ProviderUnavailable):
        start()


def test_no_answer_and_a_5xx_are_unavailable(api):
    with pytest.raises(ProviderUnavailable):
        start()
    api.say("orders/create", {"Success": True, "Model": {"Url": "https://x/"}}, 500)
    with pytest.raises(ProviderUnavailable):
        start()


def found(deposit, **changed):
    return {
        "TransactionId": 504, "Amount": 2500.0, "Currency": "KZT", "InvoiceId": str(deposit.pk), "Status": "Completed", **changed,
    }  # fmt: skip


def test_asking_settles_what_no_notification_told(api, deposit):
    api.say("v2/payments/find", {"Success": True, "Model": found(deposit)})

    services.verify(transaction_id=deposit.pk)

    assert available(deposit) == 2_500_00
    tell("pay", deposit)
    assert available(deposit) == 2_500_00


@pytest.mark.parametrize(
    "body",
    [{"Success": False, "Message": "Not found", "Model": None}, {"Success": False, "Model": {"Status": "Declined"}},
     {"Success": True, "Model": {"Status": "Authorized"}}],
)  # fmt: skip
def test_what_is_not_completed_stays_open(api, deposit, body):
    api.say("v2/payments/find", body)

    assert services.verify(transaction_id=deposit.pk).is_open


@pytest.mark.parametrize(
    "changed",
    [
        {"Amount": 2500.01},
        {"Amount": 1},
        {"Amount": None},
        {"Currency": "UZS"},
        {"InvoiceId": "x"},
        {"TransactionId": None},
    ],
)
def test_asking_believes_no_other_payment(api, deposit, changed):
    api.say("v2/payments/find", {"Success": True, "Model": found(deposit, **changed)})

    with pytest.raises(PaymentMismatch):
        services.verify(transaction_id=deposit.pk)
    assert available(deposit) == 0


def refund(payment, amount, key="r"):
    row = services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key=key)
    return services.send_refund(refund_id=row.pk)


@pytest.fixture
def paid(deposit):
    tell("pay", deposit)
    deposit.refresh_from_db()
    return deposit


def test_a_refund_is_asked_with_a_key_and_told_back_once(api, paid):
    api.say("payments/refund", {"Success": True, "Model": {"TransactionId": 600}})

    row = refund(paid, 1_000_00)
    refunded(paid)

    assert (row.status, row.provider_refund_id) == ("succeeded", "600")
    path, fields, headers = api.calls[0]
    assert (path, fields) == ("payments/refund", {"TransactionId": "504", "Amount": "1000.00"})
    assert headers["X-Request-ID"] == str(row.pk)
    assert available(paid) == 1_500_00
    assert Refund.objects.count() == 1
    assert all(proof.holds for proof in checks.run())


def test_a_notification_that_overtakes_the_answer_confirms_the_same_refund(api, paid):
    row = services.refund(transaction_id=paid.pk, amount=1_000_00, reason="", idempotency_key="r")
    refunded(paid)
    api.say("payments/refund", {"Success": True, "Model": {"TransactionId": 600}})

    assert services.send_refund(refund_id=row.pk).status == "succeeded"
    assert available(paid) == 1_500_00
    assert Refund.objects.count() == 1


def test_a_refused_refund_is_back_in_the_wallet(api, paid):
    api.say("payments/refund", {"Success": False, "Message": "no", "Model": {"ReasonCode": 5000}})

    assert refund(paid, 1_000_00).status == "failed"
    assert available(paid) == 2_500_00


def test_a_lost_answer_is_asked_for_again_while_their_key_is_good_and_then_by_a_person(api, paid):
    with pytest.raises(ProviderUnavailable):
        refund(paid, 1_000_00)
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=2))

    services.sweep_refunds(at=timezone.now())
    services.sweep_refunds(at=timezone.now())

    assert len(api.calls) == 1
    assert Refund.objects.get().is_unclear
    assert available(paid) == 1_500_00


# --- Many at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_deliveries_at_once_credit_once(deposit):
    assert in_parallel(*[lambda: tell("pay", deposit)] * 20) == [0] * 20

    assert available(deposit) == 2_500_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_refund_notices_at_once_count_once(deposit):
    tell("pay", deposit)

    assert in_parallel(*[lambda: refunded(deposit)] * 20) == [0] * 20
    assert available(deposit) == 1_500_00
