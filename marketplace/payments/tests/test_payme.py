"""Payme's Merchant API as its documents and its sandbox test it, over HTTP to our webhook."""

import base64
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.core.testing import in_parallel
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.ledger.tests.factories import spend
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt, Transaction, WebhookEvent
from marketplace.payments.providers import payme
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/payme/"
TRANSACTION = "66f1a2b3c4d5e6f708192a3b"


def basic(login="Paycom", key="payme-test-key"):
    return "Basic " + base64.b64encode(f"{login}:{key}".encode()).decode()


def send(body, *, authorization=None, method="POST"):
    headers = {"Authorization": basic() if authorization is None else authorization}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().generic(method, URL, data, content_type="text/json; charset=UTF-8", headers=headers)


def rpc(name, /, **params):
    answer = send({"id": 7, "method": name, "params": params})
    assert answer.status_code == 200, "any other status is an error of the system to Payme"
    data = answer.json()
    assert data["id"] == 7
    assert ("result" in data) != ("error" in data)
    return data


def code(answer):
    return answer["error"]["code"] if "error" in answer else None


def ms(moment=None):
    return payme.to_ms(moment or timezone.now())


@pytest.fixture
def deposit():
    return DepositFactory(amount=50_000_00, payment_method__code="payme", payment_method__name="Payme")


def account(deposit):
    return {"transaction_id": str(deposit.pk)}


def create(deposit, *, number=TRANSACTION, amount=None, time=None):
    return rpc(
        "CreateTransaction",
        id=number,
        time=time or ms(),
        amount=amount or deposit.amount,
        account=account(deposit),
    )


def perform(number=TRANSACTION):
    return rpc("PerformTransaction", id=number)


def available(deposit):
    return balances(deposit.user).available


# --- The reference's vectors --------------------------------------------------------------------------


def test_the_authorization_header_is_the_documents_example():
    header = basic("Paycom", "Zk7qTn3vB9xLw2RmC5sHd8JfYp4GaEuKt6No")

    assert header == "Basic UGF5Y29tOlprN3FUbjN2Qjl4THcyUm1DNXNIZDhKZllwNEdhRXVLdDZObw=="


@pytest.mark.parametrize(
    ("fields", "encoded"),
    [
        (
            {"m": "587f72c72cac0d162c722ae2", "ac.order_id": "197", "a": "500"},
            "bT01ODdmNzJjNzJjYWMwZDE2MmM3MjJhZTI7YWMub3JkZXJfaWQ9MTk3O2E9NTAw",
        ),
        (
            {
                "m": "587f72c72cac0d162c722ae2",
                "ac.transaction_id": "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518",
                "a": "5000000",
            },
            (
                "bT01ODdmNzJjNzJjYWMwZDE2MmM3MjJhZTI7YWMudHJhbnNhY3Rpb25faWQ9M2YyYjhjMWUtNWQwYS00YjdlLTljNjEtMmY0ZDdh"
                "OTBlNTE4O2E9NTAwMDAwMA=="
            ),
        ),
        (
            {
                "m": "587f72c72cac0d162c722ae2",
                "ac.transaction_id": "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518",
                "a": "5000000",
                "l": "uz",
                "c": "https://shop.example/pay/return",
            },
            (
                "bT01ODdmNzJjNzJjYWMwZDE2MmM3MjJhZTI7YWMudHJhbnNhY3Rpb25faWQ9M2YyYjhjMWUtNWQwYS00YjdlLTljNjEtMmY0ZDdh"
                "OTBlNTE4O2E9NTAwMDAwMDtsPXV6O2M9aHR0cHM6Ly9zaG9wLmV4YW1wbGUvcGF5L3JldHVybg=="
            ),
        ),
    ],
)
def test_the_checkout_link_is_the_documents_example(fields, encoded):
    link = payme.checkout_link("https://checkout.paycom.uz", fields)

    assert link == f"https://checkout.paycom.uz/{encoded}"


def test_a_deposit_leads_to_the_checkout_with_its_own_id(settings, user_of_payme):
    settings.PAYMENT_CONFIG = {
        **settings.PAYMENT_CONFIG,
        "payme": {
            **settings.PAYMENT_CONFIG["payme"],
            "merchant_id": "587f72c72cac0d162c722ae2",
            "checkout_url": "https://checkout.paycom.uz",
        },
    }

    payment = services.start_payment(
        user=user_of_payme,
        amount=50_000_00,
        method_code="payme",
        idempotency_key="k",
        return_url="https://shop.example/pay/return",
    )

    host, encoded = payment.payment_url.rsplit("/", 1)
    assert host == "https://checkout.paycom.uz"
    assert base64.b64decode(encoded).decode() == (
        f"m=587f72c72cac0d162c722ae2;ac.transaction_id={payment.pk};a=5000000;l=uz;c=https://shop.example/pay/return"
    )


@pytest.fixture
def user_of_payme(deposit):
    deposit.user.language = "uz"
    deposit.user.save()
    return deposit.user


def test_a_whole_payment_goes_as_in_the_documents(deposit):
    assert rpc("CheckPerformTransaction", amount=50_000_00, account=account(deposit))["result"] == {
        "allow": True
    }
    created = create(deposit)["result"]
    attempt = PaymentAttempt.objects.get()
    assert created == {
        "create_time": ms(attempt.opened_at),
        "transaction": str(attempt.pk),
        "state": 1,
        "receivers": None,
    }
    assert available(deposit) == 0, "only PerformTransaction credits"
    performed = perform()["result"]
    assert (performed["transaction"], performed["state"]) == (str(attempt.pk), 2)
    assert available(deposit) == 50_000_00
    assert rpc("CheckTransaction", id=TRANSACTION)["result"] == {
        "create_time": created["create_time"],
        "perform_time": performed["perform_time"],
        "cancel_time": 0,
        "transaction": str(attempt.pk),
        "state": 2,
        "reason": None,
    }
    cancelled = rpc("CancelTransaction", id=TRANSACTION, reason=5)["result"]
    assert (cancelled["transaction"], cancelled["state"]) == (str(attempt.pk), -2)
    assert available(deposit) == 0
    unknown = rpc("CheckPerformTransaction", amount=50_000_00, account={"transaction_id": "no-such"})
    assert (code(unknown), unknown["error"]["data"]) == (-31050, "transaction_id")
    assert set(unknown["error"]["message"]) == {"ru", "uz", "en"}
    assert all(proof.holds for proof in checks.run())


# --- Credentials and shape ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        "", "Basic", "Basic !!!", "Bearer x", basic("paycom"), basic(key="wrong"), basic(key=""),
        basic("Paycom:payme", "test-key"),
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [{"id": 3, "method": "CheckTransaction", "params": {"id": "x"}}, {"id": 3}, b"{"]
)
def test_wrong_credentials_are_refused_before_anything_in_the_body_is_judged(authorization, body):
    answer = send(body, authorization=authorization)

    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == -32504
    assert WebhookEvent.objects.get().signature_ok is False


def test_stored_calls_hold_no_credentials(deposit):
    create(deposit)

    kept = json.dumps(WebhookEvent.objects.get().headers)
    assert "payme-test-key" not in kept
    assert basic() not in kept


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_than_post_are_refused_in_paymes_words(method):
    answer = send(b"", method=method)

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32300)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", -32700), (b"{", -32700), (b"\xff\xfe", -32700), (b"NaN", -32700),
        (b'{"id": 1, "params": {"amount": Infinity}}', -32700),
        (b'{"id":1,"method":"CheckTransaction","params":{"id":"\\u0000"}}', -32700),
        (b"[" * 30_000, -32700), (b"1" * 6000, -32700), (b"[]", -32600), (b"null", -32600), (b'"x"', -32600),
        (b"7", -32600), (b'{"id": 1}', -32600), (b'{"id": 1, "method": 5, "params": {}}', -32600),
        (b'{"id": 1, "method": "CheckTransaction"}', -32600),
        (b'{"id": 1, "method": "CheckTransaction", "params": []}', -32600),
        (b'{"id": 1, "method": "DeleteEverything", "params": {}}', -32601),
        (b'{"id": 1, "method": "ChangePassword", "params": {"password": "x"}}', -32601),
    ],
)  # fmt: skip
def test_malformed_requests_have_their_own_codes(body, expected):
    answer = send(body)

    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == expected
    assert WebhookEvent.objects.get().status == "failed"


def test_an_unknown_method_is_named():
    answer = send({"id": 1, "method": "DeleteEverything", "params": {}}).json()

    assert answer["error"]["data"] == "DeleteEverything"


@pytest.mark.parametrize(
    "method", ["PerformTransaction", "CancelTransaction", "CheckTransaction", "SetFiscalData"]
)
@pytest.mark.parametrize("number", [None, 5.5, True, "", "x" * 200, [], {"a": 1}, "\u0416"])
def test_a_malformed_id_is_no_server_error(method, number):
    params = {"id": number, "reason": 5, "type": "PERFORM", "fiscal_data": {}}

    assert code(rpc(method, **params)) == -32602


@pytest.mark.parametrize("number", [TRANSACTION, "x", 5, 10**30])
def test_an_unknown_transaction_is_not_found(number):
    for method in ("PerformTransaction", "CheckTransaction"):
        assert code(rpc(method, id=number)) == -31003
    assert code(rpc("CancelTransaction", id=number, reason=5)) == -31003


@pytest.mark.parametrize(
    "amount",
    [0, -5_000_000, 4_999_999, 5_000_001, 5000000.0, "5000000", None, True, 10**30, [5000000], {"a": 1}],
)
def test_another_amount_is_refused(deposit, amount):
    for method, more in (
        ("CheckPerformTransaction", {}),
        ("CreateTransaction", {"id": TRANSACTION, "time": ms()}),
    ):
        assert code(rpc(method, amount=amount, account=account(deposit), **more)) == -31001
    assert not PaymentAttempt.objects.exists()


@pytest.mark.parametrize(
    "value", ["no-such", "", None, 5, [], "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518", "3f2b8c1e5d0a4b7e9c612f4d7a90e518", "٠" * 36]
)  # fmt: skip
def test_an_unknown_account_is_an_error_of_the_account(deposit, value):
    wrong = {"transaction_id": value}
    checked = rpc("CheckPerformTransaction", amount=deposit.amount, account=wrong)
    created = rpc("CreateTransaction", id=TRANSACTION, time=ms(), amount=deposit.amount, account=wrong)

    assert code(checked) == code(created) == -31050
    assert checked["error"]["data"] == "transaction_id"


def test_a_deposit_of_another_provider_is_unknown_to_payme():
    other = DepositFactory(amount=50_000_00)

    assert code(rpc("CheckPerformTransaction", amount=50_000_00, account=account(other))) == -31050


@pytest.mark.parametrize("time", [None, "now", -1, 10**20, 1.5])
def test_a_time_that_is_none_is_refused(deposit, time):
    answer = rpc(
        "CreateTransaction", id=TRANSACTION, time=time, amount=deposit.amount, account=account(deposit)
    )

    assert code(answer) == -32602


# --- Repeats --------------------------------------------------------------------------------------------


def test_every_call_can_be_repeated_and_answers_the_same(deposit):
    at = ms()
    first, second = create(deposit, time=at), create(deposit, time=at)
    assert first == second
    assert perform() == perform()
    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1
    assert rpc("CheckTransaction", id=TRANSACTION) == rpc("CheckTransaction", id=TRANSACTION)
    cancel = {"id": TRANSACTION, "reason": 5}
    first = rpc("CancelTransaction", **cancel)
    assert rpc("CancelTransaction", **{**cancel, "reason": 3}) == first
    assert rpc("CheckTransaction", id=TRANSACTION)["result"]["reason"] == 5, "the first reason is kept"
    assert available(deposit) == 0


def test_creating_again_after_the_transaction_moved_on_is_impossible(deposit):
    at = ms()
    create(deposit, time=at)
    perform()

    assert code(create(deposit, time=at)) == -31008


def test_a_second_transaction_waits_while_the_first_is_open(deposit):
    create(deposit)

    assert code(create(deposit, number="66f1a2b3c4d5e6f708192a3c")) == -31008
    assert code(rpc("CheckTransaction", id="66f1a2b3c4d5e6f708192a3c")) == -31003


def test_a_paid_deposit_cannot_be_paid_again(deposit):
    create(deposit)
    perform()

    assert code(create(deposit, number="66f1a2b3c4d5e6f708192a3c")) == -31051
    assert code(rpc("CheckPerformTransaction", amount=deposit.amount, account=account(deposit))) == -31051


def test_after_a_cancelled_try_the_deposit_can_be_paid_by_another(deposit):
    create(deposit)
    assert rpc("CancelTransaction", id=TRANSACTION, reason=3)["result"]["state"] == -1

    assert "result" in create(deposit, number="66f1a2b3c4d5e6f708192a3c")
    assert "result" in perform("66f1a2b3c4d5e6f708192a3c")
    assert code(perform()) == -31008
    assert available(deposit) == 50_000_00


def test_a_transaction_number_cannot_move_to_another_deposit(deposit):
    create(deposit)
    other = DepositFactory(amount=50_000_00, payment_method__code="payme")

    assert code(create(other)) == -31008


# --- Time -------------------------------------------------------------------------------------------------


def grow_old(hours=13):
    long_ago = timezone.now() - timedelta(hours=hours)
    PaymentAttempt.objects.update(
        provider_time=long_ago, opened_at=long_ago, expires_at=long_ago + timedelta(hours=12)
    )


@pytest.mark.parametrize("again", ["perform", "create"])
def test_after_twelve_hours_the_transaction_is_cancelled_by_time(deposit, again):
    create(deposit)
    grow_old()

    assert code(perform() if again == "perform" else create(deposit)) == -31008
    told = rpc("CheckTransaction", id=TRANSACTION)["result"]
    assert (told["state"], told["reason"]) == (-1, 4)
    assert told["cancel_time"] > 0
    assert available(deposit) == 0


def test_a_first_create_that_is_twelve_hours_old_is_refused(deposit):
    old = ms(timezone.now() - timedelta(hours=12, seconds=1))

    assert code(create(deposit, time=old)) == -31008
    assert not PaymentAttempt.objects.exists()


def test_the_sweeper_ends_old_transactions_and_lets_the_deposit_be_tried_again(deposit):
    create(deposit)
    grow_old()

    services.sweep_pending(at=timezone.now())

    assert PaymentAttempt.objects.get().state == "cancelled"
    deposit.refresh_from_db()
    assert deposit.status == Transaction.Status.PENDING
    assert "result" in create(deposit, number="66f1a2b3c4d5e6f708192a3c")


# --- Cancelling what is paid --------------------------------------------------------------------------------


def test_money_that_is_spent_cannot_be_cancelled(deposit):
    create(deposit)
    perform()
    spend(deposit.user, 1_000_00)

    answer = rpc("CancelTransaction", id=TRANSACTION, reason=5)

    assert code(answer) == -31007
    assert rpc("CheckTransaction", id=TRANSACTION)["result"]["state"] == 2
    assert available(deposit) == 49_000_00


@pytest.mark.parametrize("reason", [None, "5", 5.0, True, 2**40])
def test_a_cancellation_needs_a_reason(deposit, reason):
    create(deposit)

    assert code(rpc("CancelTransaction", id=TRANSACTION, reason=reason)) == -32602


# --- Statement and receipts -----------------------------------------------------------------------------------


def test_a_statement_goes_by_paymes_clock_both_ends_included_oldest_first():
    base = ms(timezone.now() - timedelta(hours=2))
    made = []
    for number, time in enumerate([base + 3000, base, base + 1000, base + 4000]):
        deposit = DepositFactory(amount=50_000_00, payment_method__code="payme")
        create(deposit, number=f"id{number}", time=time)
        made.append(deposit)
    rpc("CancelTransaction", id="id2", reason=3)
    perform("id1")

    lines = rpc("GetStatement", **{"from": base, "to": base + 3000})["result"]["transactions"]

    assert [line["id"] for line in lines] == ["id1", "id2", "id0"]
    assert [line["time"] for line in lines] == [base, base + 1000, base + 3000]
    assert [line["state"] for line in lines] == [2, -1, 1]
    assert lines[1]["reason"] == 3
    assert lines[0]["account"] == {"transaction_id": str(made[1].pk)}
    assert lines[0]["amount"] == 50_000_00
    assert lines[2]["perform_time"] == lines[2]["cancel_time"] == 0
    assert lines[0].keys() == {
        "id", "time", "amount", "account", "create_time", "perform_time", "cancel_time", "transaction", "state", "reason",
        "receivers",
    }  # fmt: skip


def test_an_empty_statement_is_no_error():
    assert rpc("GetStatement", **{"from": 0, "to": 1})["result"] == {"transactions": []}
    assert code(rpc("GetStatement", **{"from": "x", "to": 1})) == -32602


def test_a_statement_costs_the_same_however_long(django_assert_num_queries):
    at = ms()
    for number in range(4):
        create(DepositFactory(amount=50_000_00, payment_method__code="payme"), number=f"id{number}", time=at)
    body = {"id": 7, "method": "GetStatement", "params": {"from": at, "to": at}}

    with django_assert_num_queries(7):  # four of them are the savepoints of a test's transaction
        lines = send(body).json()["result"]["transactions"]

    assert len(lines) == 4


def test_a_fiscal_receipt_is_kept_with_the_transaction(deposit):
    create(deposit)
    perform()
    receipt = {
        "receipt_id": 5,
        "fiscal_sign": "800031554082",
        "qr_code_url": "https://ofd.soliq.uz/check?t=1",
    }

    answer = rpc("SetFiscalData", id=TRANSACTION, type="PERFORM", fiscal_data=receipt)

    assert answer["result"] == {"success": True}
    assert PaymentAttempt.objects.get().details["fiscal_perform"] == receipt
    assert code(rpc("SetFiscalData", id="nobody", type="PERFORM", fiscal_data=receipt)) == -32001
    assert code(rpc("SetFiscalData", id=TRANSACTION, type="OTHER", fiscal_data=receipt)) == -32602


# --- Many at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_performs_at_once_credit_once(deposit):
    create(deposit)

    answers = in_parallel(*[perform] * 20)

    assert len({json.dumps(answer) for answer in answers}) == 1
    assert "result" in answers[0]
    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_creates_with_other_numbers_one_is_opened(deposit):
    answers = in_parallel(
        *[lambda number=number: create(deposit, number=f"id{number}") for number in range(20)]
    )

    assert sorted(code(answer) or 0 for answer in answers) == [-31008] * 19 + [0]
    assert PaymentAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_performing_and_cancelling_at_once_leaves_one_of_them(deposit):
    create(deposit)

    in_parallel(perform, lambda: rpc("CancelTransaction", id=TRANSACTION, reason=3))

    state = PaymentAttempt.objects.get().state
    assert state in {"cancelled", "refunded"}, "cancelled before it was paid, or paid and taken back"
    assert available(deposit) == 0
    assert all(proof.holds for proof in checks.run())


def test_a_crash_of_ours_is_a_system_error_and_is_finished_later(deposit, monkeypatch):
    from marketplace.payments.services import webhooks

    create(deposit)
    broken = pytest.MonkeyPatch()
    broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
    answer = send({"id": 7, "method": "PerformTransaction", "params": {"id": TRANSACTION}})
    broken.undo()
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32400)
    assert available(deposit) == 0

    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))

    assert available(deposit) == 50_000_00
