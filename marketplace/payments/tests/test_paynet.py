"""Paynet's JSON-RPC as the reference has it, over HTTP to our webhook."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from marketplace.core.testing import in_parallel
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.ledger.tests.factories import spend
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt, PaymentMethod, ProviderCredential, WebhookEvent
from marketplace.payments.services import webhooks
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/paynet/"
NUMBER = 9900123
TIME = "2026-03-14 15:09:40"
PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
EXAMPLE = "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"


@pytest.fixture
def deposit():
    return make_deposit()


def make_deposit(**more):
    return DepositFactory(
        amount=50_000_00, payment_method__code="paynet", payment_method__name="Paynet", **more
    )


def basic(login="paynet", password="paynet-test-password"):  # noqa: S107
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def send(body, *, authorization=None, method="POST"):
    headers = {"Authorization": basic() if authorization is None else authorization}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().generic(method, URL, data, content_type="application/json", headers=headers)


def rpc(name, /, *, without=(), authorization=None, **params):
    params = {name: value for name, value in {"serviceId": 1, **params}.items() if name not in without}
    answer = send({"jsonrpc": "2.0", "id": 11, "method": name, "params": params}, authorization=authorization)
    assert answer.status_code == 200
    data = answer.json()
    assert (data["jsonrpc"], data["id"]) == ("2.0", 11)
    assert ("result" in data) != ("error" in data)
    return data


def code(answer):
    return answer["error"]["code"] if "error" in answer else None


def fields(deposit):
    return {"transaction_id": str(getattr(deposit, "pk", deposit))}


def information(deposit):
    return rpc("GetInformation", fields=fields(deposit))


def perform(deposit, *, number=NUMBER, amount=50_000_00, **more):
    given = {"transactionTime": TIME, "fields": fields(deposit), **more}
    return rpc("PerformTransaction", transactionId=number, amount=amount, **given)


def check(number=NUMBER):
    return rpc("CheckTransaction", transactionId=number)


def cancel(number=NUMBER):
    return rpc("CancelTransaction", transactionId=number)


def available(deposit):
    return balances(deposit.user).available


# --- The reference's example ------------------------------------------------------------------------------


def test_the_authorization_header_is_the_documents_example():
    assert basic("paynet_user", "pAyN3t-pass") == "Basic cGF5bmV0X3VzZXI6cEF5TjN0LXBhc3M="


def test_a_whole_payment_goes_as_in_the_documents(deposit):
    told = information(deposit)["result"]
    assert (told["status"], told["fields"]) == ("0", {"amount": "50000.00"})
    assert PLAIN_TIME.fullmatch(told["timestamp"])
    assert available(deposit) == 0

    performed = perform(deposit)["result"]
    number = PaymentAttempt.objects.get().pk
    assert performed == {
        "providerTrnId": number,
        "timestamp": performed["timestamp"],
        "fields": {"balance": 0},
    }
    assert type(performed["providerTrnId"]) is int
    assert available(deposit) == 50_000_00
    assert perform(deposit)["error"] == {"code": 201, "message": "Transaction already exists"}
    assert check()["result"] == {
        "transactionState": 1,
        "timestamp": performed["timestamp"],
        "providerTrnId": number,
    }
    cancelled = cancel()["result"]
    assert cancelled == {
        "providerTrnId": number,
        "timestamp": cancelled["timestamp"],
        "transactionState": 2,
    }
    assert PLAIN_TIME.fullmatch(cancelled["timestamp"])
    assert check()["result"]["transactionState"] == 2
    assert available(deposit) == 0
    assert all(proof.holds for proof in checks.run())


def test_times_are_those_of_tashkent(deposit):
    perform(deposit)
    PaymentAttempt.objects.update(captured_at=datetime(2026, 3, 14, 22, 0, 0, tzinfo=UTC))

    assert check()["result"]["timestamp"] == "2026-03-15 03:00:00"
    assert PaymentAttempt.objects.get().provider_time == datetime(2026, 3, 14, 10, 9, 40, tzinfo=UTC)


def configured(settings, **values):
    config = {**settings.PAYMENT_CONFIG["paynet"], **values}
    settings.PAYMENT_CONFIG = {**settings.PAYMENT_CONFIG, "paynet": config}


def test_the_time_of_a_check_has_a_format_of_its_own(deposit, settings):
    configured(settings, check_time_format="%a %b %d %H:%M:%S UZT %Y")
    perform(deposit)
    PaymentAttempt.objects.update(captured_at=datetime(2026, 3, 14, 10, 9, 40, tzinfo=UTC))

    assert check()["result"]["timestamp"] == "Sat Mar 14 15:09:40 UZT 2026"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "https://app.paynet.uz/?m={merchant}&c={reference}&a={tiyin}",
            "https://app.paynet.uz/?m=500&c={pk}&a=5000000",
        ),
        (
            "https://app.paynet.uz/?m={merchant}&client_id={reference}&amount={amount}&back={return_url}",
            "https://app.paynet.uz/?m=500&client_id={pk}&amount=50000.00&back=https%3A%2F%2Fshop.example%2Fback",
        ),
    ],
)
def test_the_payers_link_follows_the_template(deposit, settings, template, expected):
    configured(settings, link_url=template, merchant_id="500")

    payment = services.start_payment(
        user=deposit.user,
        amount=50_000_00,
        method_code="paynet",
        idempotency_key="k",
        return_url="https://shop.example/back",
    )

    assert payment.payment_url == expected.format(pk=payment.pk)


# --- Credentials ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Bearer x", basic("Paynet"), basic(password="wrong"), basic(password=""), basic("", "")],
)  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [
        {"id": 3, "method": "CheckTransaction", "params": {}},
        {"id": 3, "method": "nothing"},
        {"id": 3},
        b"{",
        b"[]",
    ],
)
def test_wrong_credentials_are_refused_with_401_before_anything_else(authorization, body):
    answer = send(body, authorization=authorization)

    assert answer.status_code == 401
    assert answer.json() == {
        "jsonrpc": "2.0",
        "id": 3 if isinstance(body, dict) else None,
        "error": {"code": 412, "message": "Wrong login or password"},
    }
    assert WebhookEvent.objects.get().signature_ok is False


def test_paynet_changes_its_password_and_only_the_new_one_opens_the_door(deposit):
    assert rpc("ChangePassword", newPassword="n3w:pass-word")["result"] == "success"

    assert send({"id": 1, "method": "x"}).status_code == 401, "the old one"
    new = basic(password="n3w:pass-word")
    told = rpc("GetInformation", fields=fields(deposit), authorization=new)
    assert told["result"]["status"] == "0"
    assert rpc("ChangePassword", newPassword="another-1", authorization=new)["result"] == "success"
    assert ProviderCredential.objects.get().secret == "another-1"


@pytest.mark.parametrize("password", ["", "short", 123456, True, [], "with space", "Жжжжжжж", "x" * 200])
def test_a_password_that_cannot_be_one_changes_nothing(password):
    assert code(rpc("ChangePassword", newPassword=password)) == -32602
    assert code(rpc("ChangePassword")) == 411
    assert not ProviderCredential.objects.exists()


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM payments_providercredential")
        secrets = [row[0] for row in cursor.fetchall()]
    events = WebhookEvent.objects.all()
    kept = [[str(e.headers), bytes(e.body).decode(), e.query, str(e.answer_body), e.error] for e in events]
    return json.dumps([secrets, kept])


def test_stored_rows_hold_no_password(deposit):
    perform(deposit)
    rpc("ChangePassword", newPassword="n3w-pass-word")
    change = {"id": 1, "method": "ChangePassword", "params": {"serviceId": 1, "newPassword": "stale-secret"}}
    assert send(change).status_code == 401
    send(json.dumps(change).encode()[:-1], authorization=basic(password="n3w-pass-word"))
    send(json.dumps(change).replace("newPassword", "new\\u0050assword").encode())

    text = stored()
    for secret in ("paynet-test-password", "n3w-pass-word", "stale-secret", basic()):
        assert secret not in text
    assert WebhookEvent.objects.count() == 5


def test_a_change_that_broke_is_not_made_up_later(monkeypatch):
    broken = pytest.MonkeyPatch()
    broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
    assert code(send(
        {"id": 1, "method": "ChangePassword", "params": {"serviceId": 1, "newPassword": "n3w-pass-word"}}
    ).json()) == -32603  # fmt: skip
    broken.undo()

    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))

    assert not ProviderCredential.objects.exists(), "Paynet was told that it failed, and asks again"
    assert WebhookEvent.objects.get().status == "failed"


# --- Shape ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_than_post_are_refused_in_paynets_words(method):
    answer = send(b"", method=method)

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32300)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", -32700), (b"{", -32700), (b"\xff\xfe", -32700), (b"NaN", -32700), (b'{"id": Infinity}', -32700),
        (b'{"id":1,"method":"CheckTransaction","params":{"transactionId":"\\u0000"}}', -32700), (b"[" * 30_000, -32700),
        (b"1" * 6000, -32700), (b"[]", -32600), (b"null", -32600), (b'"x"', -32600), (b"7", -32600), (b'{"id": 1}', -32600),
        (b'{"id": 1, "method": 5, "params": {}}', -32600), (b'{"id": 1, "method": "Refund", "params": {}}', -32601),
        (b'{"id": 1, "method": "CheckTransaction"}', -32602), (b'{"id": 1, "method": "CheckTransaction", "params": []}', -32602),
        (b'{"id": 1, "method": "CheckTransaction", "params": {}}', 411),
    ],
)  # fmt: skip
def test_malformed_requests_have_their_own_codes(body, expected):
    answer = send(body)

    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == expected
    assert WebhookEvent.objects.get().status == "failed"


METHODS = {
    "GetInformation": {"fields": {"transaction_id": EXAMPLE}},
    "PerformTransaction": {
        "transactionId": 1,
        "amount": 100,
        "transactionTime": TIME,
        "fields": {"transaction_id": EXAMPLE},
    },
    "CheckTransaction": {"transactionId": 1},
    "CancelTransaction": {"transactionId": 1},
    "GetStatement": {"dateFrom": TIME, "dateTo": TIME},
    "ChangePassword": {"newPassword": "n3w-pass-word"},
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("service", [2, 0, -1, "1", 1.0, True, 10**30, [], {}])
def test_an_unknown_service_is_refused_by_every_method(method, service):
    assert code(rpc(method, **{**METHODS[method], "serviceId": service})) == 305
    assert not ProviderCredential.objects.exists()


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method, given in METHODS.items() for name in ("serviceId", *given)]
)  # fmt: skip
def test_a_missing_parameter_is_named_so(method, name):
    if name == "transactionTime":
        return  # our own clock counts then

    assert code(rpc(method, without={name}, **METHODS[method])) == 411
    assert code(rpc(method, **{**METHODS[method], name: None})) == 411


@pytest.mark.parametrize("method", ["PerformTransaction", "CheckTransaction", "CancelTransaction"])
@pytest.mark.parametrize("number", [0, -1, 1.5, True, "9900123", "", 2**63, 10**40, [], {"a": 1}])
def test_a_malformed_transaction_is_an_invalid_parameter(method, number):
    assert code(rpc(method, **{**METHODS[method], "transactionId": number})) == -32602


# --- Accounts and amounts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["no-such", "", 5, [], True, EXAMPLE, EXAMPLE.replace("-", ""), "٠" * 36, {"a": 1}]
)  # fmt: skip
def test_an_unknown_account_is_no_client(value):
    wrong = {"transaction_id": value}

    assert code(rpc("GetInformation", fields=wrong)) == 302
    assert code(rpc("PerformTransaction", transactionId=1, amount=50_000_00, fields=wrong)) == 302


@pytest.mark.parametrize("value", [{}, [], "x", 5])
def test_fields_without_an_account_are_malformed(value):
    assert code(rpc("GetInformation", fields=value)) == (411 if value == {} else -32602)


def test_a_deposit_of_another_provider_or_a_cancelled_one_is_no_client():
    for deposit in (DepositFactory(amount=50_000_00), make_deposit(status="cancelled")):
        assert code(information(deposit)) == 302
        assert code(perform(deposit)) == 302
        assert available(deposit) == 0


@pytest.mark.parametrize(
    "amount", [0, -5_000_000, 4_999_999, 5_000_001, 50_000, 5000000.0, "5000000", True, [5000000], {"a": 1}]
)
def test_another_amount_is_refused(deposit, amount):
    assert code(perform(deposit, amount=amount)) == 413
    assert not PaymentAttempt.objects.exists()


@pytest.mark.parametrize("amount", [20_000_000_01, 10**16, 10**30])
def test_an_amount_above_the_limit_is_refused_as_such(deposit, amount):
    PaymentMethod.objects.filter(code="paynet").update(max_amount=20_000_000_00)

    assert code(perform(deposit, amount=amount)) == 415


@pytest.mark.parametrize(
    "time", ["now", "2026-02-30 00:00:00", "2026-03-14", "0001-01-01 00:00:00", 5, True, [], ""]
)
def test_a_time_that_cannot_be_read_is_refused(deposit, time):
    assert code(perform(deposit, transactionTime=time)) == 414
    assert code(rpc("GetStatement", dateFrom=time, dateTo=TIME)) == 414
    assert code(rpc("GetStatement", dateFrom=TIME, dateTo=time)) == 414


def test_the_time_may_be_called_time_or_be_left_out(deposit):
    other = make_deposit()

    rpc("PerformTransaction", transactionId=1, amount=50_000_00, time=TIME, fields=fields(deposit))
    rpc("PerformTransaction", transactionId=2, amount=50_000_00, fields=fields(other))

    first, second = PaymentAttempt.objects.order_by("pk")
    assert first.provider_time == datetime(2026, 3, 14, 10, 9, 40, tzinfo=UTC)
    assert second.provider_time > timezone.now() - timedelta(minutes=1)


# --- Repeats ------------------------------------------------------------------------------------------------


def test_a_paid_deposit_cannot_be_paid_again_nor_looked_at(deposit):
    perform(deposit)

    assert code(perform(deposit, number=5)) == 302
    assert code(information(deposit)) == 302
    assert available(deposit) == 50_000_00


def test_a_transaction_cannot_move_to_another_deposit(deposit):
    other = make_deposit()
    perform(deposit)

    assert code(perform(other)) == 201
    assert available(other) == 0


def test_a_cancelled_transaction_is_neither_cancelled_nor_performed_again(deposit):
    perform(deposit)
    cancel()

    assert code(cancel()) == 202
    assert code(perform(deposit)) == 201
    assert code(perform(deposit, number=5)) == 302
    assert available(deposit) == 0
    assert all(proof.holds for proof in checks.run())


def test_money_that_is_spent_cannot_be_taken_back(deposit):
    perform(deposit)
    spend(deposit.user, 1_000_00)

    assert code(cancel()) == 77
    assert check()["result"]["transactionState"] == 1
    assert available(deposit) == 49_000_00


def test_what_we_do_not_know_is_not_found(deposit):
    told = check()["result"]

    assert (told["transactionState"], told["providerTrnId"]) == (3, 0)
    assert PLAIN_TIME.fullmatch(told["timestamp"])
    assert code(cancel()) == 203


# --- The statement --------------------------------------------------------------------------------------------


def test_a_statement_goes_by_paynets_clock_and_leaves_out_what_was_cancelled():
    for number, second in enumerate([40, 10, 20, 50, 30], start=1):
        perform(make_deposit(), number=number, transactionTime=f"2026-03-14 15:09:{second}")
    cancel(3)

    told = rpc("GetStatement", dateFrom="2026-03-14 15:09:10", dateTo="2026-03-14 15:09:40")["result"]

    assert [line["transactionId"] for line in told["statements"]] == [2, 5, 1]
    assert told["statements"][0] == {
        "amount": 50_000_00,
        "providerTrnId": PaymentAttempt.objects.get(provider_id="2").pk,
        "transactionId": 2,
        "timestamp": "2026-03-14 15:09:10",
    }


def test_an_empty_statement_is_no_error():
    assert rpc("GetStatement", dateFrom=TIME, dateTo="2020-01-01 00:00:00")["result"] == {"statements": []}


def test_a_statement_costs_the_same_however_long(django_assert_num_queries):
    for number in range(1, 5):
        perform(make_deposit(), number=number)
    body = {"id": 7, "method": "GetStatement", "params": {"serviceId": 1, "dateFrom": TIME, "dateTo": TIME}}

    with django_assert_num_queries(8):  # four of them are the savepoints of a test's transaction
        lines = send(body).json()["result"]["statements"]

    assert len(lines) == 4


# --- Many at once, and crashes ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_performs_at_once_one_succeeds(deposit):
    answers = in_parallel(*[lambda: perform(deposit)] * 20)

    assert sorted(code(answer) or 0 for answer in answers) == [0] + [201] * 19
    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_performs_with_other_numbers_one_succeeds(deposit):
    answers = in_parallel(*[lambda number=number: perform(deposit, number=number) for number in range(1, 21)])

    assert sorted(code(answer) or 0 for answer in answers) == [0] + [302] * 19
    assert available(deposit) == 50_000_00


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_cancellations_at_once_one_takes_back(deposit):
    perform(deposit)

    answers = in_parallel(*[cancel] * 20)

    assert sorted(code(answer) or 0 for answer in answers) == [0] + [202] * 19
    assert available(deposit) == 0
    assert all(proof.holds for proof in checks.run())


def test_a_crash_of_ours_is_an_internal_error_and_is_finished_later(deposit):
    broken = pytest.MonkeyPatch()
    broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
    params = {"serviceId": 1, "transactionId": NUMBER, "amount": 50_000_00, "fields": fields(deposit)}
    answer = send({"id": 7, "method": "PerformTransaction", "params": params})
    broken.undo()
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32603)
    assert check()["result"]["transactionState"] == 3

    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))

    assert check()["result"]["transactionState"] == 1
    assert available(deposit) == 50_000_00
