"""FreedomPay: its signed calls over HTTP to our webhook, and our calls against answers as its documents give."""

import hashlib
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

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
from marketplace.payments.errors import BadPayload, ProviderUnavailable, WrongAmount
from marketplace.payments.models import PaymentAttempt, PaymentMethod, Refund, WebhookEvent
from marketplace.payments.providers import freedompay
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/freedompay/"
SECRET = "freedompay-test-secret"
VECTOR_SECRET = "FPSECRETKEY01"


def signature(script, fields, secret=SECRET):
    """Written out once more, by the documents and not by our code."""
    names = sorted(name for name in fields if name != "pg_sig")
    text = ";".join([script, *[fields[name] for name in names], secret])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def deposit():
    return DepositFactory(
        amount=2_500_00, currency="KZT", payment_method__code="freedompay", payment_method__name="FreedomPay"
    )


def facts(deposit, **changed):
    fields = {
        "pg_order_id": str(deposit.pk),
        "pg_payment_id": "765432",
        "pg_amount": "2500",
        "pg_currency": "KZT",
        "pg_salt": "Qx71pz",
        **changed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def post(fields, *, action="result", script="", secret=SECRET, raw=None):
    body = (
        raw
        if raw is not None
        else urlencode({**fields, "pg_sig": signature(script, fields, secret)}).encode()
    )
    url = f"{URL}{action}/" if action else URL
    return Client().post(url, data=body, content_type="application/x-www-form-urlencoded")


def said(answer, script=""):
    assert answer.status_code == 200
    fields = freedompay.read_xml(answer.content)
    assert fields["pg_sig"] == signature(script, fields)
    return fields["pg_status"]


def check(deposit, **changed):
    return said(post(facts(deposit, **changed), action="check"))


def result(deposit, **changed):
    return said(post(facts(deposit, **{"pg_result": "1", "pg_can_reject": "1", **changed})))


def available(deposit):
    return balances(deposit.user, "KZT").available


def status(deposit):
    deposit.refresh_from_db()
    return deposit.status


# --- The reference's vectors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "fields", "expected"),
    [
        (
            "init_payment.php",
            {
                "pg_amount": "2500", "pg_currency": "KZT", "pg_description": "Deposit 1042", "pg_merchant_id": "511867",
                "pg_order_id": "1042", "pg_salt": "k3Vb91",
            },
            "7c8bdfb522bd54c813aed83b19148b09",
        ),
        (
            "freedompay",
            {
                "pg_amount": "2500", "pg_can_reject": "1", "pg_currency": "KZT", "pg_order_id": "1042",
                "pg_payment_date": "2026-03-14 15:09:26", "pg_payment_id": "765432", "pg_result": "1", "pg_salt": "Qx71pz",
            },
            "1dbba2256d7e7021e81149dcdf8710f3",
        ),
        (
            "",
            {
                "pg_salt": "Qx71pz", "pg_amount": "2500", "pg_can_reject": "1", "pg_currency": "KZT", "pg_order_id": "1042",
                "pg_payment_date": "2026-03-14 15:09:26", "pg_payment_id": "765432", "pg_result": "1", "pg_sig": "left out",
            },
            "ed5f6dc996fbfb3539b1fb7469eb943a",
        ),
        (
            "freedompay",
            {"pg_status": "ok", "pg_description": "Accepted", "pg_salt": "Ab12Cd"},
            "36cd33c9651c1d5953e614d0ad9c9292",
        ),
    ],
)  # fmt: skip
def test_the_signature_is_the_documents_example(script, fields, expected):
    assert freedompay.sign(script, fields, VECTOR_SECRET) == expected
    assert freedompay.is_signed(script, {**fields, "pg_sig": expected}, VECTOR_SECRET)


# --- Signatures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "script"), [("", ""), ("", "freedompay"), ("result", ""), ("result", "result")]
)
def test_both_readings_of_the_scripts_name_are_taken_and_answered_alike(deposit, action, script):
    fields = facts(deposit, pg_result="1", pg_can_reject="1")

    answer = post(fields, action=action, script=script)

    assert said(answer, script) == "ok"
    assert available(deposit) == 2_500_00


@pytest.mark.parametrize("sig", ["", "0" * 32, "é", "x" * 5000])
def test_a_wrong_signature_is_refused_and_moves_nothing(deposit, sig):
    fields = facts(deposit, pg_result="1")

    assert said(post({}, raw=urlencode({**fields, "pg_sig": sig}).encode())) == "error"
    assert said(post({}, raw=urlencode(fields).encode())) == "error"
    assert said(post(fields, secret="guess")) == "error"
    assert said(post(fields, script="init_payment.php")) == "error"
    assert available(deposit) == 0
    assert set(WebhookEvent.objects.values_list("signature_ok", flat=True)) == {False}


def test_every_field_that_came_is_signed(deposit):
    fields = facts(deposit, pg_result="1")
    body = urlencode({**fields, "pg_sig": signature("", fields), "pg_more": "1"}).encode()

    assert said(post({}, raw=body)) == "error"
    assert result(deposit, pg_more="1", pg_card_pan="4405-64XX-XXXX-0149") == "ok"


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"pg_sig", b"%ff", b"a=1&" * 300, b"{}", b"pg_sig=%00"])
def test_a_body_that_cannot_be_read_is_refused(raw):
    for action in ("", "check", "result", "steal"):
        assert said(post({}, raw=raw, action=action)) == "error"


def test_a_body_beyond_the_limit_is_not_read():
    assert post({}, raw=b"a=" + b"x" * 70_000).status_code == 413


# --- Check -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["2500", "2500.0", "2500.00", "2500.0000"])
def test_a_payment_that_may_be_made_is_ok(deposit, amount):
    assert check(deposit, pg_amount=amount) == "ok"
    assert said(post(facts(deposit), action="")) == "ok"
    assert status(deposit) == "pending"


@pytest.mark.parametrize(
    "amount",
    ["2500.01", "2499.99", "0", "-2500", "2500.001", "2.5e3", "NaN", "Infinity", "", "٢٥٠٠", " 2500", "1" * 40, "\x00", None],
)  # fmt: skip
def test_another_amount_is_rejected(deposit, amount):
    assert check(deposit, pg_amount=amount) == "rejected"
    assert result(deposit, pg_amount=amount) == "rejected"
    assert available(deposit) == 0


@pytest.mark.parametrize("currency", ["UZS", "kzt", "", "\x00", None])
def test_another_currency_is_rejected(deposit, currency):
    assert check(deposit, pg_currency=currency) == "rejected"
    assert result(deposit, pg_currency=currency) == "rejected"
    assert available(deposit) == 0


@pytest.mark.parametrize(
    "order", ["no-such", "", "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518", "٠" * 36, "x" * 500, "\x00", None]
)
def test_an_unknown_order_is_rejected(deposit, order):
    assert check(deposit, pg_order_id=order) == "rejected"
    assert result(deposit, pg_order_id=order) == "rejected"


def test_a_deposit_of_another_provider_is_unknown():
    other = DepositFactory(amount=2_500_00)

    assert check(other, pg_currency="UZS") == "rejected"


def test_a_finished_deposit_is_rejected(deposit):
    services.cancel(transaction_id=deposit.pk)

    assert check(deposit) == "rejected"


def test_a_check_costs_few_queries(deposit, django_assert_num_queries):
    with django_assert_num_queries(8):  # four of them are the savepoints of a test's transaction
        assert check(deposit) == "ok"


# --- Result ------------------------------------------------------------------------------------------------------


def test_a_result_credits_the_wallet_once(deposit):
    assert result(deposit) == "ok"
    assert result(deposit) == "ok"
    assert result(deposit, pg_can_reject="0", pg_salt="later") == "ok"

    assert available(deposit) == 2_500_00
    assert JournalEntry.objects.count() == 1
    assert PaymentAttempt.objects.get().provider_id == "765432"
    assert all(proof.holds for proof in checks.run())


def test_another_payment_of_a_paid_order_goes_back_to_the_payer(deposit):
    result(deposit)

    assert result(deposit, pg_payment_id="765433") == "rejected"
    assert result(deposit, pg_payment_id="765433", pg_can_reject="0") == "error"
    assert check(deposit, pg_payment_id="765433") == "rejected"
    assert check(deposit) == "ok", "a repeat of the one that was made"
    assert available(deposit) == 2_500_00


def test_a_payment_that_was_given_up_is_rejected_while_it_can_be_and_counts_when_not(deposit):
    services.cancel(transaction_id=deposit.pk)

    assert result(deposit, pg_can_reject="1") == "rejected"
    assert available(deposit) == 0
    assert result(deposit, pg_can_reject="0") == "ok"
    assert available(deposit) == 2_500_00


def test_a_wrong_amount_that_cannot_be_rejected_is_an_error_for_a_person(deposit):
    assert result(deposit, pg_amount="1", pg_can_reject="0") == "error"
    assert available(deposit) == 0
    assert WebhookEvent.objects.get().status == "failed"


def test_a_failure_fails_the_deposit_and_keeps_its_reason(deposit):
    failed = result(
        deposit, pg_result="0", pg_failure_code="300", pg_failure_description="Карта отклонена\x00"
    )

    assert failed == "ok"
    assert status(deposit) == "failed"
    assert deposit.reason == "FreedomPay 300 Карта отклонена"


def test_a_failure_that_comes_late_changes_nothing(deposit):
    result(deposit)

    assert result(deposit, pg_result="0") == "ok"
    assert (status(deposit), available(deposit)) == ("completed", 2_500_00)


def test_a_success_after_a_failure_is_rejected_while_it_can_be(deposit):
    result(deposit, pg_result="0")

    assert result(deposit) == "rejected"
    assert result(deposit, pg_can_reject="0") == "ok"
    assert available(deposit) == 2_500_00


def test_money_that_is_only_held_waits_until_it_is_taken(deposit):
    assert result(deposit, pg_captured="0") == "ok"
    assert (status(deposit), available(deposit)) == ("processing", 0)

    assert result(deposit, pg_captured="1") == "ok"
    assert available(deposit) == 2_500_00


@pytest.mark.parametrize("value", ["", "2", "true", None, "\x00"])
def test_a_result_that_is_none_is_an_error(deposit, value):
    fields = facts(deposit, pg_result=value)

    assert said(post(fields, action="result")) == "error"
    assert available(deposit) == 0


@pytest.mark.parametrize("number", ["", "x" * 200, "a b", "\x00", None])
def test_a_result_without_a_sensible_number_is_an_error(deposit, number):
    assert result(deposit, pg_payment_id=number) == "error"


def test_an_unknown_action_is_an_error(deposit):
    assert said(post(facts(deposit, pg_result="1"), action="steal")) == "error"
    assert available(deposit) == 0


def test_a_crash_of_ours_is_told_again_and_counts_once(deposit, monkeypatch):
    from marketplace.payments.services import webhooks

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
        answer = post(facts(deposit, pg_result="1", pg_can_reject="1"))
    assert answer.status_code == 500
    assert freedompay.read_xml(answer.content)["pg_status"] == "error"

    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))
    assert result(deposit, pg_can_reject="0") == "ok"
    assert available(deposit) == 2_500_00


def test_stored_calls_hold_no_secret(deposit):
    result(deposit)

    row = WebhookEvent.objects.get()
    assert SECRET not in str(row.headers) + bytes(row.body).decode() + str(row.answer_body)


# --- XML -----------------------------------------------------------------------------------------------------------


def test_nested_elements_go_by_their_way_and_place():
    text = b"<r><pg_a>1</pg_a><pg_list><item>x</item><item>y</item></pg_list></r>"

    assert freedompay.read_xml(text) == {"pg_a": "1", "pg_list002item001": "x", "pg_list002item002": "y"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<", b"\xff\xfe<r/>", b"<html>", b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', b"<!doctype r><r/>",
        b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>', b"<r>&a;</r>", b"<r>\x00</r>",
    ],
)  # fmt: skip
def test_xml_with_entities_or_broken_is_refused(body):
    with pytest.raises(BadPayload):
        freedompay.read_xml(body)


def test_what_we_write_can_be_read_again():
    fields = {"pg_status": "ok", "pg_description": '<&>"é'}

    assert freedompay.read_xml(freedompay.write_xml(fields).encode()) == fields


# --- Our calls -------------------------------------------------------------------------------------------------------


class Api:
    def __init__(self):
        self.calls = []
        self.answers = {}

    def say(self, script, *, secret=SECRET, http_status=200, signed_as=None, **fields):
        told = {"pg_status": "ok", "pg_salt": "s", **fields}
        told["pg_sig"] = signature(signed_as or script, told, secret)
        self.raw(script, freedompay.write_xml(told).encode(), http_status)

    def raw(self, script, body, http_status=200):
        self.answers.setdefault(script, []).append(
            http.Reply(http_status, body) if body is not None else None
        )

    def send(self, method, url, *, body=None, headers=None):
        script = url.rsplit("/", 1)[1]
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.calls.append((script, fields))
        left = self.answers[script]
        reply = left[0] if len(left) == 1 else left.pop(0)
        if reply is None:
            raise http.NoAnswer("nobody there")
        return reply


@pytest.fixture
def api(monkeypatch):
    api = Api()
    monkeypatch.setattr(http, "send", api.send)
    return api


def start(user=None):
    PaymentMethod.objects.get_or_create(
        code="freedompay", defaults={"name": "FreedomPay", "currency": "KZT", "min_amount": 1}
    )
    return services.start_payment(
        user=user or UserFactory(language="uz"),
        amount=2_500_50,
        currency="KZT",
        method_code="freedompay",
        idempotency_key="k",
        return_url="https://shop.example/wallet/",
    )


def test_a_payment_is_opened_with_all_that_matters(api):
    api.say(
        "init_payment.php", pg_payment_id="765432", pg_redirect_url="https://customer.freedompay.kz/pay?x=1"
    )

    payment = start()

    _script, fields = api.calls[0]
    assert fields.pop("pg_sig") == signature("init_payment.php", fields)
    assert fields.pop("pg_salt")
    assert fields.pop("pg_description")
    hooks = "https://shop.example/api/v1/payments/webhooks/freedompay"
    assert fields == {
        "pg_merchant_id": "511867", "pg_order_id": str(payment.pk), "pg_amount": "2500.50", "pg_currency": "KZT",
        "pg_check_url": f"{hooks}/check/", "pg_result_url": f"{hooks}/result/", "pg_request_method": "POST",
        "pg_success_url": "https://shop.example/wallet/", "pg_success_url_method": "GET",
        "pg_failure_url": "https://shop.example/wallet/", "pg_failure_url_method": "GET",
        "pg_lifetime": "82800", "pg_language": "ru", "pg_testing_mode": "0",
    }  # fmt: skip
    assert payment.payment_url == "https://customer.freedompay.kz/pay?x=1"
    assert payment.provider_transaction_id == "765432"


@pytest.mark.parametrize(
    "body",
    [
        None, b"", b"<html>", b"<r><pg_status>ok</pg_status><pg_redirect_url>https://evil.example/</pg_redirect_url></r>",
        b"<r><pg_status>error</pg_status><pg_error_code>9998</pg_error_code></r>", b'<!DOCTYPE r [<!ENTITY a "b">]><r/>',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_an_answer_that_opens_nothing_or_is_not_signed_is_unavailable(api, body):
    api.raw("init_payment.php", body)

    with pytest.raises(ProviderUnavailable):
        start()


@pytest.mark.parametrize("page", ["", "javascript:alert(1)", "/pay", "ftp://x/"])
def test_a_page_that_is_none_is_not_offered(api, page):
    api.say("init_payment.php", pg_redirect_url=page)

    with pytest.raises(ProviderUnavailable):
        start()


def told(payment, **changed):
    return {
        "pg_payment_id": "765432", "pg_payment_status": "success", "pg_captured": "1", "pg_amount": "2500",
        "pg_currency": "KZT", **changed,
    }  # fmt: skip


def test_asking_settles_what_no_call_told(api, deposit):
    api.say("get_status3.php", **told(deposit))

    services.verify(transaction_id=deposit.pk)

    assert available(deposit) == 2_500_00
    assert api.calls[0][1]["pg_order_id"] == str(deposit.pk)
    assert result(deposit, pg_can_reject="0") == "ok"
    assert available(deposit) == 2_500_00


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"pg_payment_status": "new"}, "pending"), ({"pg_payment_status": "pending"}, "pending"),
        ({"pg_captured": "0"}, "pending"), ({"pg_payment_status": "failed"}, "failed"), ({"pg_status": "error"}, "pending"),
    ],
)  # fmt: skip
def test_asking_tells_open_from_failed(api, deposit, changed, expected):
    api.say("get_status3.php", **told(deposit, **changed))

    services.verify(transaction_id=deposit.pk)

    assert (status(deposit), available(deposit)) == (expected, 0)


@pytest.mark.parametrize("changed", [{"pg_amount": "1"}, {"pg_amount": ""}, {"pg_currency": "UZS"}])
def test_asking_believes_no_other_amount(api, deposit, changed):
    api.say("get_status3.php", **told(deposit, **changed))

    with pytest.raises(WrongAmount):
        services.verify(transaction_id=deposit.pk)
    assert available(deposit) == 0


def test_an_answer_signed_with_another_secret_is_not_believed(api, deposit):
    api.say("get_status3.php", secret="guess", **told(deposit))

    with pytest.raises(ProviderUnavailable):
        services.verify(transaction_id=deposit.pk)
    assert available(deposit) == 0


def test_the_name_that_a_question_is_signed_with_is_a_setting(api, deposit, settings):
    settings.PAYMENT_CONFIG = {
        **settings.PAYMENT_CONFIG,
        "freedompay": {**settings.PAYMENT_CONFIG["freedompay"], "status_script": "get_status.php"},
    }
    api.say("get_status3.php", signed_as="get_status.php", **told(deposit))

    services.verify(transaction_id=deposit.pk)

    script, fields = api.calls[0]
    assert script == "get_status3.php"
    assert fields["pg_sig"] == signature("get_status.php", fields)
    assert available(deposit) == 2_500_00


def refund(payment, amount, key="r"):
    row = services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key=key)
    return services.send_refund(refund_id=row.pk)


@pytest.fixture
def paid(api, deposit):
    result(deposit)
    api.say("get_status3.php", **told(deposit))
    deposit.refresh_from_db()
    return deposit


def test_refunds_full_and_partial_are_asked_for(api, paid):
    api.say("revoke.php")

    assert [refund(paid, amount, key).status for amount, key in ((1_000_50, "a"), (1_499_50, "b"))] == [
        "succeeded"
    ] * 2

    sent = [fields for script, fields in api.calls if script == "revoke.php"]
    assert [fields["pg_refund_amount"] for fields in sent] == ["1000.50", "1499.50"]
    assert {fields["pg_payment_id"] for fields in sent} == {"765432"}
    assert sent[0]["pg_sig"] == signature("revoke.php", sent[0])
    assert available(paid) == 0
    assert all(proof.holds for proof in checks.run())


def test_a_refused_refund_is_back_in_the_wallet(api, paid):
    api.say("revoke.php", pg_status="error", pg_error_code="9403")

    assert refund(paid, 1_000_00).status == "failed"
    assert available(paid) == 2_500_00


def test_a_refund_whose_answer_was_lost_is_not_asked_for_again(api, paid):
    api.raw("revoke.php", None)

    row = refund(paid, 1_000_00)
    services.send_refund(refund_id=row.pk)
    services.sweep_refunds(at=timezone.now() + timedelta(hours=5))

    assert [script for script, _fields in api.calls].count("revoke.php") == 1
    assert Refund.objects.get().is_unclear
    assert available(paid) == 1_500_00


def test_a_freedompay_that_is_down_is_asked_for_the_refund_again(api, paid):
    api.answers["get_status3.php"] = [None]
    with pytest.raises(ProviderUnavailable):
        refund(paid, 1_000_00)
    api.answers["get_status3.php"] = []
    api.say("get_status3.php", **told(paid))
    api.say("revoke.php")

    assert services.send_refund(refund_id=Refund.objects.get().pk).status == "succeeded"


# --- Many at once ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_results_at_once_credit_once(deposit):
    assert in_parallel(*[lambda: result(deposit)] * 20) == ["ok"] * 20

    assert available(deposit) == 2_500_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_payments_of_one_order_one_is_taken_and_the_others_go_back(deposit):
    answers = in_parallel(
        *[lambda number=number: result(deposit, pg_payment_id=f"{number}") for number in range(20)]
    )

    assert sorted(answers) == ["ok"] + ["rejected"] * 19
    assert available(deposit) == 2_500_00
