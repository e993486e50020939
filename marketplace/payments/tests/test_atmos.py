"""Uzcard and Humo through ATMOS: its callbacks over HTTP to our webhook, our calls against answers as its documents give."""

import hashlib
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import http
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.payments import cards, providers, services
from marketplace.payments.errors import (
    AlreadyPaid,
    CardRefused,
    NotEnoughOnCard,
    PaymentMismatch,
    PaymentNotOpen,
    ProviderUnavailable,
    TooManyTries,
    UnknownPayment,
    WrongCode,
)
from marketplace.payments.models import PaymentAttempt, PaymentMethod, Refund, Transaction, WebhookEvent
from marketplace.payments.providers import atmos
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

CARD = cards.Card("8600120000000003", "Uzcard")
NUMBER = 201455
KEY = "atmos-test-api-key"


@pytest.fixture(autouse=True)
def no_token():
    atmos._tokens.clear()
    yield
    atmos._tokens.clear()


@pytest.fixture
def deposit():
    return DepositFactory(
        amount=50_000_00,
        payment_method__code="uzcard",
        payment_method__name="Uzcard",
        provider_transaction_id=str(NUMBER),
        metadata={"payment_url": "http://testserver/wallet/x/card/"},
    )


def available(deposit):
    return balances(deposit.user).available


def status(deposit):
    deposit.refresh_from_db()
    return deposit.status


# --- The reference's vectors ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("md5", "b0beee7750465c086eb2420cf363cea9"),
        ("sha256", "3d751679f6f9c338828a31797b8b9d6d796430fe034700c8f65c795780036699"),
        ("", "b0beee7750465c086eb2420cf363cea9"),
        ("crc32", "b0beee7750465c086eb2420cf363cea9"),
    ],
)
def test_the_signature_is_the_documents_example(name, expected):
    texts = ["8090", "201455", "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518", "5000000"]

    assert atmos.sign(texts, "ATMOSAPIKEY01", name) == expected


def test_the_token_calls_authorization_is_the_documents_example():
    header = atmos.credentials("consumerKey01", "consumerSecret01")

    assert header == "Basic Y29uc3VtZXJLZXkwMTpjb25zdW1lclNlY3JldDAx"


# --- Callbacks ----------------------------------------------------------------------------------------------


def callback(
    deposit, *, code="uzcard", member="invoice", key=KEY, name="md5", sign=None, raw=None, **changed
):
    facts = {
        "store_id": f"test-{code}-store",
        "transaction_id": NUMBER,
        "transaction_time": "2026-03-14 15:09:26",
        "amount": deposit.amount,
        member: str(deposit.pk),
        **changed,
    }
    text = "".join(str(facts.get(one, "")) for one in ("store_id", "transaction_id", member, "amount"))
    facts["sign"] = hashlib.new(name, f"{text}{key}".encode()).hexdigest() if sign is None else sign
    body = json.dumps(facts).encode() if raw is None else raw
    answer = Client().post(f"/api/v1/payments/webhooks/{code}/", data=body, content_type="application/json")
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "message"}
    return answer.json()["status"]


@pytest.mark.parametrize("member", ["invoice", "account"])
@pytest.mark.parametrize("number", [NUMBER, str(NUMBER)])
def test_a_right_callback_is_accepted_credits_nothing_and_is_followed_by_a_question(deposit, member, number):
    assert callback(deposit, member=member, transaction_id=number) == 1

    assert (available(deposit), status(deposit)) == (0, "pending")
    assert Job.objects.get().task == "tasks.payments.process_deposit"
    assert not PaymentAttempt.objects.exists()


def test_a_repeated_callback_is_accepted_again(deposit):
    assert [callback(deposit) for _time in range(3)] == [1, 1, 1]
    assert available(deposit) == 0


def test_a_callback_for_what_this_transaction_has_paid_is_accepted_and_for_another_refused(deposit, wire):
    wire.say("apply", store_transaction=paid(deposit))
    pay(deposit)

    assert callback(deposit) == 1
    assert callback(deposit, transaction_id=NUMBER + 1) == 0
    assert available(deposit) == 50_000_00


def test_sha256_is_a_setting(deposit, settings):
    assert callback(deposit, name="sha256") == 0
    settings.PAYMENT_CONFIG = {
        **settings.PAYMENT_CONFIG,
        "uzcard": {**settings.PAYMENT_CONFIG["uzcard"], "sign_hash": "sha256"},
    }

    assert callback(deposit, name="sha256") == 1
    assert callback(deposit, name="md5") == 0


@pytest.mark.parametrize("sign", ["", "0" * 32, "é", "x" * 5000])
def test_a_wrong_signature_is_refused(deposit, sign):
    assert callback(deposit, sign=sign) == 0
    assert callback(deposit, key="guess") == 0
    assert set(WebhookEvent.objects.values_list("signature_ok", flat=True)) == {False}
    assert not Job.objects.exists()


@pytest.mark.parametrize("sign", [None, 5, [], {"a": 1}])
def test_a_signature_of_another_type_is_refused(deposit, sign):
    assert callback(deposit, raw=json.dumps({"store_id": 1, "sign": sign}).encode()) == 0


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b'{"amount": NaN}', b'{"a": "\\u0000"}', b"[" * 30_000],
)
def test_a_body_that_cannot_be_read_is_refused(deposit, raw):
    assert callback(deposit, raw=raw) == 0


@pytest.mark.parametrize("amount", [0, -5_000_000, 4_999_999, 5_000_001, "5000000", 10**30])
def test_another_amount_is_refused(deposit, amount):
    assert callback(deposit, amount=amount) == 0


@pytest.mark.parametrize("amount", [5000000.0, True, None, [1], {"a": 1}])
def test_an_amount_that_is_none_cannot_be_signed(deposit, amount):
    assert callback(deposit, amount=amount) == 0


@pytest.mark.parametrize("invoice", ["no-such", "", "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518", "\u0660" * 36, 5])
def test_an_unknown_invoice_is_refused(deposit, invoice):
    assert callback(deposit, invoice=invoice) == 0


@pytest.mark.parametrize("number", ["", "x" * 200, "a b", 10**50])
def test_a_transaction_without_a_sensible_number_is_refused(deposit, number):
    assert callback(deposit, transaction_id=number) == 0


def test_another_store_and_another_networks_deposit_are_refused(deposit):
    assert callback(deposit, store_id="8091") == 0
    assert callback(deposit, code="humo") == 0


def test_a_finished_deposit_is_refused(deposit):
    services.cancel(transaction_id=deposit.pk)

    assert callback(deposit) == 0


def test_stored_callbacks_hold_no_key(deposit):
    callback(deposit)

    row = WebhookEvent.objects.get()
    assert KEY not in json.dumps(row.headers) + bytes(row.body).decode() + row.error


def test_a_callback_costs_few_queries(deposit, django_assert_num_queries):
    with django_assert_num_queries(10):  # four of them are the savepoints of a test's transaction
        assert callback(deposit) == 1


# --- Our calls ------------------------------------------------------------------------------------------------


class Wire:
    """ATMOS's answers, by the last part of the path, and what was asked."""

    def __init__(self):
        self.calls = []
        self.answers = {"token": [http.Reply(200, b'{"access_token": "t1", "expires_in": 3600}')]}

    def say(self, step, code="OK", *, status=200, **more):
        body = {"result": {"code": code, "description": ""}, **more}
        self.answers.setdefault(step, []).append(http.Reply(status, json.dumps(body).encode()))

    def fail(self, step, reply=None):
        self.answers.setdefault(step, []).append(reply)

    def send(self, method, url, *, body=None, headers=None):
        step = url.rsplit("/", 1)[1]
        self.calls.append((step, body, dict(headers or {})))
        left = self.answers[step]
        reply = left[0] if len(left) == 1 else left.pop(0)
        if reply is None:
            raise http.NoAnswer("nobody there")
        return reply

    def asked(self, step):
        return [json.loads(body) for name, body, _headers in self.calls if name == step]

    def steps(self):
        return [step for step, _body, _headers in self.calls]


@pytest.fixture
def wire(monkeypatch):
    wire = Wire()
    monkeypatch.setattr(http, "send", wire.send)
    return wire


def paid(deposit, **changed):
    facts = {"trans_id": NUMBER, "success_trans_id": 9, "confirmed": True, "status_code": "0"}
    return {**facts, "amount": deposit.amount, **changed}


def pay(deposit, code="111111"):
    Transaction.objects.filter(pk=deposit.pk).update(
        metadata={**deposit.metadata, "card": {"last_four": "0003"}}
    )
    return services.confirm_card(transaction_id=deposit.pk, code=code)


def start():
    PaymentMethod.objects.get_or_create(code="uzcard", defaults={"name": "Uzcard"})
    return services.start_payment(
        user=UserFactory(language="ru"),
        amount=50_000_00,
        method_code="uzcard",
        idempotency_key="k",
        return_url="https://shop.example/wallet/back/k/",
    )


def test_opening_a_payment_asks_for_a_number_and_leads_to_our_own_page(wire):
    wire.say("create", transaction_id=NUMBER)

    payment = start()

    assert wire.asked("create") == [
        {"store_id": "test-uzcard-store", "amount": 50_000_00, "account": str(payment.pk), "lang": "ru"}
    ]
    assert payment.provider_transaction_id == str(NUMBER)
    assert payment.payment_url == f"https://shop.example/wallet/{payment.pk}/card/"
    assert wire.calls[0][0] == "token"
    assert wire.calls[0][2]["Authorization"] == atmos.credentials("test-uzcard-key", "test-uzcard-secret")
    assert wire.calls[1][2]["Authorization"] == "Bearer t1"


@pytest.mark.parametrize(
    "reply",
    [
        None, http.Reply(500, b""), http.Reply(200, b"<html>"), http.Reply(200, b"[]"), http.Reply(200, b"{}"),
        http.Reply(200, b'{"result": {"code": "OK"}}'), http.Reply(200, b'{"result": "OK", "transaction_id": 1}'),
        http.Reply(200, b'{"result": {"code": "STPIMS-ERR-009"}, "transaction_id": 1}'),
        http.Reply(502, b'{"result": {"code": "OK"}, "transaction_id": 1}'),
    ],
)  # fmt: skip
def test_an_atmos_that_opens_nothing_is_unavailable(wire, reply):
    wire.fail("create", reply)

    with pytest.raises(ProviderUnavailable):
        start()


@pytest.mark.parametrize(
    "reply",
    [
        None, http.Reply(401, b"{}"), http.Reply(200, b""), http.Reply(200, b'{"access_token": 5}'),
        http.Reply(200, '{"access_token": "é"}'.encode()), http.Reply(200, b'{"access_token": "a\\nb"}'),
    ],
)  # fmt: skip
def test_without_a_token_atmos_is_unavailable(wire, reply):
    wire.answers["token"] = [reply]

    with pytest.raises(ProviderUnavailable):
        start()


def test_a_token_is_asked_for_once_and_anew_before_it_ends(wire, deposit, monkeypatch):
    wire.say("get", store_transaction={})
    now = [1000.0]
    monkeypatch.setattr(atmos.time, "monotonic", lambda: now[0])
    for seconds in (0, 10, 3529, 1):
        now[0] += seconds
        services.verify(transaction_id=deposit.pk)

    assert wire.steps() == ["token", "get", "get", "get", "token", "get"]


def test_a_token_that_atmos_refuses_is_renewed_once(wire, deposit):
    wire.fail("get", http.Reply(401, b"{}"))
    wire.say("get", store_transaction=paid(deposit))

    services.verify(transaction_id=deposit.pk)

    assert wire.steps() == ["token", "get", "token", "get"]
    assert available(deposit) == 50_000_00


def test_a_card_is_handed_on_and_only_its_last_four_digits_stay(wire, deposit, caplog):
    wire.say("pre-apply")

    with caplog.at_level("DEBUG"):
        services.send_card(transaction_id=deposit.pk, card=CARD, expiry="2809")

    assert wire.asked("pre-apply") == [
        {
            "store_id": "test-uzcard-store",
            "transaction_id": NUMBER,
            "card_number": CARD.number,
            "expiry": "2809",
        }
    ]
    row = Transaction.objects.values().get()
    assert row["metadata"]["card"] == {"cards": 1, "last_four": "0003", "codes": 0}
    assert CARD.number not in json.dumps(row, default=str)
    assert CARD.number not in caplog.text
    assert CARD.number not in repr(CARD)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("STPIMS-ERR-067", CardRefused), ("STPIMS-ERR-009", CardRefused), ("STPIMS-ERR-133", CardRefused),
        ("STPIMS-ERR-999", CardRefused), ("STPIMS-ERR-112", NotEnoughOnCard), ("STPIMS-ERR-001", ProviderUnavailable),
    ],
)  # fmt: skip
def test_a_card_that_is_refused_has_its_reason(wire, deposit, code, expected):
    wire.say("pre-apply", code)

    with pytest.raises(expected):
        services.send_card(transaction_id=deposit.pk, card=CARD, expiry="2809")
    assert status(deposit) == "pending"


def test_a_closed_transaction_is_opened_anew_when_it_was_not_paid(wire, deposit):
    wire.say("pre-apply", "STPIMS-ERR-092")
    wire.say("pre-apply")
    wire.say("get", store_transaction={"confirmed": False})
    wire.say("create", transaction_id=77)

    assert (
        services.send_card(transaction_id=deposit.pk, card=CARD, expiry="2809").provider_transaction_id
        == "77"
    )


def test_a_closed_transaction_that_was_paid_is_not_paid_again(wire, deposit):
    wire.say("pre-apply", "STPIMS-ERR-092")
    wire.say("get", store_transaction=paid(deposit))

    with pytest.raises(AlreadyPaid):
        services.send_card(transaction_id=deposit.pk, card=CARD, expiry="2809")


def test_cards_cannot_be_tried_without_end(wire, deposit):
    wire.say("pre-apply", "STPIMS-ERR-067")
    for _time in range(5):
        with pytest.raises(CardRefused):
            services.send_card(transaction_id=deposit.pk, card=CARD, expiry="2809")

    with pytest.raises(TooManyTries):
        services.send_card(transaction_id=deposit.pk, card=CARD, expiry="2809")
    assert wire.steps().count("pre-apply") == 5


def test_a_confirmed_answer_credits_once(wire, deposit):
    wire.say("apply", store_transaction=paid(deposit))

    pay(deposit)

    assert (status(deposit), available(deposit)) == ("completed", 50_000_00)
    assert wire.asked("apply") == [
        {"store_id": "test-uzcard-store", "transaction_id": NUMBER, "otp": "111111"}
    ]
    assert PaymentAttempt.objects.get().provider_id == str(NUMBER)
    with pytest.raises(PaymentNotOpen):
        pay(deposit)
    assert available(deposit) == 50_000_00
    assert all(proof.holds for proof in checks.run())


@pytest.mark.parametrize(
    ("code", "expected"),
    [("STPIMS-ERR-009", WrongCode), ("STPIMS-ERR-777", WrongCode), ("STPIMS-ERR-112", NotEnoughOnCard)],
)
def test_a_code_that_is_refused_has_its_reason(wire, deposit, code, expected):
    wire.say("apply", code)

    with pytest.raises(expected):
        pay(deposit)
    assert (status(deposit), available(deposit)) == ("pending", 0)


def test_codes_cannot_be_guessed_without_end(wire, deposit):
    wire.say("apply", "STPIMS-ERR-009")
    for _time in range(5):
        with pytest.raises(WrongCode):
            services.confirm_card(transaction_id=deposit.pk, code="000000")

    with pytest.raises(TooManyTries):
        services.confirm_card(transaction_id=deposit.pk, code="111111")
    assert wire.steps().count("apply") == 5


@pytest.mark.parametrize(
    "told",
    [
        {"confirmed": False}, {"confirmed": "true"}, {"confirmed": 1}, {"status_code": "1"}, {"status_code": None}, None, [],
    ],
)  # fmt: skip
def test_what_is_not_plainly_confirmed_credits_nothing_and_is_asked_about(wire, deposit, told):
    wire.say("apply", store_transaction=paid(deposit, **told) if isinstance(told, dict) else told)

    pay(deposit)

    assert (status(deposit), available(deposit)) == ("pending", 0)
    assert Job.objects.get().task == "tasks.payments.process_deposit"


@pytest.mark.parametrize(
    "changed",
    [{"amount": 4_999_999}, {"amount": "5000000"}, {"amount": 5000000.0}, {"amount": None}, {"amount": True},
     {"amount": 10**30}, {"trans_id": 5}],
)  # fmt: skip
def test_a_confirmation_of_something_else_credits_nothing(wire, deposit, changed):
    wire.say("apply", store_transaction=paid(deposit, **changed))

    with pytest.raises(PaymentMismatch):
        pay(deposit)
    assert available(deposit) == 0


@pytest.mark.parametrize(
    "reply", [None, http.Reply(504, b""), http.Reply(200, b'{"result": {"code": "STPIMS-ERR-001"}}')]
)
def test_a_lost_answer_is_asked_about_later(wire, deposit, reply):
    wire.fail("apply", reply)
    assert pay(deposit).is_open

    wire.say("get", store_transaction=paid(deposit))
    Job.objects.update(run_at=timezone.now())
    run_jobs()

    assert (status(deposit), available(deposit)) == ("completed", 50_000_00)


def test_a_code_that_is_sent_twice_credits_once(wire, deposit):
    wire.say("apply", "STPIMS-ERR-092")
    wire.say("get", store_transaction=paid(deposit))

    pay(deposit)

    assert available(deposit) == 50_000_00


def test_a_payer_who_closed_the_page_is_credited_after_the_callback(wire, deposit):
    callback(deposit)
    wire.say("get", store_transaction=paid(deposit))

    Job.objects.update(run_at=timezone.now())
    run_jobs()

    assert available(deposit) == 50_000_00


def test_a_transaction_that_atmos_does_not_know_stays_open(wire, deposit):
    wire.say("get", "STPIMS-ERR-009")

    assert services.verify(transaction_id=deposit.pk).is_open


def test_only_deposits_by_card_take_a_card():
    other = DepositFactory()

    with pytest.raises(UnknownPayment):
        services.send_card(transaction_id=other.pk, card=CARD, expiry="2809")
    with pytest.raises(UnknownPayment):
        services.send_card(transaction_id=uuid4(), card=CARD, expiry="2809")


# --- Refunds ----------------------------------------------------------------------------------------------------


@pytest.fixture
def completed(wire, deposit):
    wire.say("apply", store_transaction=paid(deposit))
    pay(deposit)
    deposit.refresh_from_db()
    return deposit


def refund(payment):
    row = services.refund(
        transaction_id=payment.pk, amount=payment.amount, reason="asked", idempotency_key="r"
    )
    return services.send_refund(refund_id=row.pk)


def test_a_whole_payment_is_given_back(wire, completed):
    wire.say("reverse")

    assert refund(completed).status == "succeeded"
    assert wire.asked("reverse") == [
        {"store_id": "test-uzcard-store", "transaction_id": NUMBER, "reason": "asked"}
    ]
    assert available(completed) == 0
    assert all(proof.holds for proof in checks.run())


def test_parts_are_not_given_back(completed):
    assert services.can_refund(completed, completed.amount)
    assert not services.can_refund(completed, completed.amount - 1)


def test_a_refused_refund_is_back_in_the_wallet(wire, completed):
    wire.say("reverse", "STPIMS-ERR-009")

    assert refund(completed).status == "failed"
    assert available(completed) == 50_000_00


@pytest.mark.parametrize(
    "reply", [None, http.Reply(500, b""), http.Reply(200, b'{"result": {"code": "STPIMS-ERR-092"}}')]
)
def test_a_refund_that_may_have_been_made_is_not_asked_for_again(wire, completed, reply):
    wire.fail("reverse", reply)

    row = refund(completed)
    services.send_refund(refund_id=row.pk)
    services.sweep_refunds(at=timezone.now() + timedelta(hours=5))

    assert wire.steps().count("reverse") == 1
    assert Refund.objects.get().is_unclear
    assert available(completed) == 0, "nobody gives back what may be gone"


def test_an_atmos_that_is_down_is_asked_for_the_refund_again(wire, completed):
    atmos._tokens.clear()
    wire.answers["token"] = [None]
    with pytest.raises(ProviderUnavailable):
        refund(completed)
    wire.answers["token"] = [http.Reply(200, b'{"access_token": "t2", "expires_in": 3600}')]
    wire.say("reverse")

    assert services.send_refund(refund_id=Refund.objects.get().pk).status == "succeeded"


def test_humo_has_a_store_of_its_own(wire):
    deposit = DepositFactory(
        amount=50_000_00,
        payment_method__code="humo",
        payment_method__name="Humo",
        provider_transaction_id="5",
    )
    wire.say("get", store_transaction=paid(deposit, trans_id=5))

    services.verify(transaction_id=deposit.pk)

    assert wire.asked("get")[0]["store_id"] == "test-humo-store"
    assert available(deposit) == 50_000_00
    assert providers.get("humo").code == "humo"


# --- Many at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_confirmations_at_once_credit_once(wire, deposit, monkeypatch):
    from marketplace.payments.services import card_entry

    monkeypatch.setattr(card_entry, "MOST_CODES", 100)
    wire.say("apply", store_transaction=paid(deposit))

    in_parallel(*[lambda: services.confirm_card(transaction_id=deposit.pk, code="111111")] * 20)

    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_codes_at_once_are_five_tries(wire, deposit):
    wire.say("apply", "STPIMS-ERR-009")

    answers = in_parallel(*[lambda: services.confirm_card(transaction_id=deposit.pk, code="000000")] * 20)

    assert sorted(type(answer).__name__ for answer in answers) == ["TooManyTries"] * 15 + ["WrongCode"] * 5
    assert wire.steps().count("apply") == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_callbacks_at_once_are_all_accepted_and_credit_nothing(deposit):
    assert in_parallel(*[lambda: callback(deposit)] * 20) == [1] * 20
    assert available(deposit) == 0
