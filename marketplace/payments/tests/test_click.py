"""Click's SHOP-API as its documents and the vendor's tests have it, and its Merchant API, over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.core import http
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.models import PaymentAttempt, Refund, Transaction, WebhookEvent
from marketplace.payments.providers import click
from marketplace.payments.services import webhooks
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/click/"
SECRET = "click-test-secret"
NUMBER = "1946296773"
EXAMPLE = "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"
numbers = count(2_000_000_000)


@pytest.fixture
def deposit():
    return make_deposit()


def make_deposit(**more):
    return DepositFactory(
        amount=50_000_00, payment_method__code="click", payment_method__name="Click", **more
    )


def signed(fields, secret=SECRET):
    return {**fields, "sign_string": click.signature(fields, secret=secret)}


def fields_of(deposit, action, **changed):
    fields = {
        "click_trans_id": NUMBER,
        "service_id": "12345",
        "click_paydoc_id": "778899",
        "merchant_trans_id": str(getattr(deposit, "pk", deposit)),
        "amount": "50000.00",
        "action": action,
        "error": "0",
        "error_note": "Success",
        "sign_time": "2026-03-14 15:09:26",
    }
    return {**fields, **{name: str(value) for name, value in changed.items()}}


def post(fields, *, action=""):
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    answer = Client().generic("POST", URL + action, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def prepare(deposit, *, secret=SECRET, **changed):
    return post(signed(fields_of(deposit, "0", **changed), secret))


def complete(deposit, prepare_id=None, *, secret=SECRET, **changed):
    if prepare_id is None:
        prepare_id = PaymentAttempt.objects.get(payment=deposit).pk
    fields = fields_of(deposit, "1", merchant_prepare_id=prepare_id, **changed)
    return post(signed(fields, secret))


def available(deposit):
    return balances(deposit.user).available


# --- The reference's vectors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "digest"),
    [
        ({"action": "0"}, "9a684bfe68f225622fc264f8a7282fad"),
        ({"action": "0", "amount": "50000"}, "5d28a755cd5a5c3e780990f36f6669d5"),
        ({"action": "0", "merchant_prepare_id": "0"}, "9a684bfe68f225622fc264f8a7282fad"),
        (
            {"action": "1", "merchant_prepare_id": "778", "sign_time": "2026-03-14 15:09:58"},
            "58bb12fafad92c56537e848fb1dc14bb",
        ),
    ],
)
def test_the_signature_is_the_documents_example(changed, digest):
    assert click.signature(fields_of(EXAMPLE, **changed), secret="CLICKSECRET01") == digest


def test_the_merchant_apis_header_is_the_documents_example():
    header = click.auth_header("777", "CLICKSECRET01", at=datetime.fromtimestamp(1773482966, tz=UTC))

    assert header == "777:050c140bae554bb185d8a70b0afa088757edba8d:1773482966"


def test_a_deposit_leads_to_clicks_page(settings, deposit):
    configured(settings, pay_url="https://my.click.uz")

    payment = services.start_payment(
        user=deposit.user,
        amount=50_000_00,
        method_code="click",
        idempotency_key="k",
        return_url="https://shop.example/pay/return",
    )

    link = urlsplit(payment.payment_url)
    assert f"{link.scheme}://{link.netloc}{link.path}" == "https://my.click.uz/services/pay/"
    assert {name: values[0] for name, values in parse_qs(link.query).items()} == {
        "service_id": "12345",
        "merchant_id": "11111",
        "amount": "50000.00",
        "transaction_param": str(payment.pk),
        "return_url": "https://shop.example/pay/return",
    }


def configured(settings, **values):
    config = {**settings.PAYMENT_CONFIG["click"], **values}
    settings.PAYMENT_CONFIG = {**settings.PAYMENT_CONFIG, "click": config}


# --- The vendor's tests -------------------------------------------------------------------------------


def test_the_vendors_fifteen_steps():
    first, second, third = make_deposit(), make_deposit(), make_deposit()
    own = {"click_trans_id": "100"}
    assert prepare(first, secret="wrong", **own)["error"] == -1  # 1
    assert prepare("no-such-order", **own)["error"] == -5  # 2
    step = prepare(first, **own)  # 3
    assert step["error"] == 0
    assert type(step["merchant_prepare_id"]) is int
    number = step["merchant_prepare_id"]
    assert complete(first, number, secret="wrong", **own)["error"] == -1  # 4
    assert complete(first, number, amount="300", **own)["error"] == -2  # 5
    assert available(first) == 0
    assert complete(first, number, **own)["error"] == 0  # 6
    assert available(first) == 50_000_00
    assert complete(first, number, **own)["error"] == -4  # 7
    assert complete(first, number, error=-5017, **own)["error"] == -9  # 8
    assert available(first) == 50_000_00, "a late failure takes nothing back"
    own = {"click_trans_id": "200"}
    number = prepare(second, **own)["merchant_prepare_id"]  # 9
    assert complete(second, 999999999, **own)["error"] == -6  # 10
    assert complete(second, number, **own)["error"] == 0  # 11
    own = {"click_trans_id": "300"}
    number = prepare(third, **own)["merchant_prepare_id"]  # 12
    assert complete(third, number, error=-5017, **own)["error"] == -9  # 13
    assert complete(third, number, error=-5017, **own)["error"] == -9  # 14
    assert complete(third, number, **own)["error"] == -9  # 15
    assert [available(payment) for payment in (first, second, third)] == [50_000_00, 50_000_00, 0]
    third.refresh_from_db()
    assert third.status == Transaction.Status.FAILED
    assert JournalEntry.objects.count() == 2
    assert all(proof.holds for proof in checks.run())


def test_answers_have_the_members_and_types_of_the_documents(deposit):
    prepared = prepare(deposit)
    number = PaymentAttempt.objects.get().pk

    assert prepared == {
        "click_trans_id": int(NUMBER),
        "merchant_trans_id": str(deposit.pk),
        "merchant_prepare_id": number,
        "error": 0,
        "error_note": "Success",
    }
    assert complete(deposit) == {
        "click_trans_id": int(NUMBER),
        "merchant_trans_id": str(deposit.pk),
        "merchant_confirm_id": number,
        "error": 0,
        "error_note": "Success",
    }
    assert prepare(deposit, secret="wrong")["error_note"] == "SIGN CHECK FAILED!"


def test_each_call_may_have_an_address_of_its_own(deposit):
    fields = signed(fields_of(deposit, "0"))

    assert post(fields, action="complete/")["error"] == -3
    assert post(fields, action="refund/")["error"] == -3
    number = post(fields, action="prepare/")["merchant_prepare_id"]
    fields = signed(fields_of(deposit, "1", merchant_prepare_id=number))
    assert post(fields, action="prepare/")["error"] == -3
    assert post(fields, action="complete/")["error"] == 0
    assert available(deposit) == 50_000_00


# --- Errors, each in its turn -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["click_trans_id", "service_id", "merchant_trans_id", "amount", "action", "error", "sign_time", "sign_string"],
)  # fmt: skip
def test_a_missing_parameter_is_an_error_in_the_request(deposit, name):
    fields = signed(fields_of(deposit, "0"))
    del fields[name]

    assert post(fields)["error"] == -8


def test_a_complete_without_the_number_we_gave_is_an_error_in_the_request(deposit):
    prepare(deposit)
    fields = signed(fields_of(deposit, "1", merchant_prepare_id=""))
    del fields["merchant_prepare_id"]

    assert post(fields)["error"] == -8


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "50000"}, {"amount": "50000.0"}, {"service_id": "12346"}, {"click_trans_id": "1"}, {"action": "1"},
        {"merchant_trans_id": EXAMPLE}, {"sign_time": "2026-03-14 15:09:27"}, {"sign_string": ""}, {"sign_string": "é"},
        {"sign_string": "0" * 32},
    ],
)  # fmt: skip
def test_what_was_changed_after_signing_is_not_believed(deposit, changed):
    prepare(deposit)
    number = PaymentAttempt.objects.get().pk
    fields = signed(fields_of(deposit, "0", merchant_prepare_id=number))

    assert post({**fields, **changed})["error"] == -1
    assert WebhookEvent.objects.order_by("-pk")[0].signature_ok is False


def test_nobody_learns_of_a_deposit_without_a_signature(deposit):
    unknown = prepare("no-such", secret="wrong")

    assert (prepare(deposit, secret="wrong")["error"], unknown["error"]) == (-1, -1)
    assert not PaymentAttempt.objects.exists()


def test_a_foreign_service_is_refused(deposit):
    assert prepare(deposit, service_id="54321")["error"] == -1


@pytest.mark.parametrize("action", ["2", "-1", "", "01", "x", "0\0"])
def test_an_unknown_action_is_not_found(deposit, action):
    assert post(signed(fields_of(deposit, action)))["error"] == -3


@pytest.mark.parametrize(
    "changed",
    [
        {"click_trans_id": "x"}, {"click_trans_id": ""}, {"click_trans_id": "0"}, {"click_trans_id": "1" * 30},
        {"click_trans_id": "-5"}, {"click_trans_id": "٥"}, {"error": "x"}, {"error": ""}, {"error": "5"},
        {"error": "-" + "9" * 30},
        {"sign_time": "yesterday"}, {"sign_time": ""}, {"sign_time": "2026-02-30 00:00:00"}, {"sign_time": "0001-01-01 00:00:00"},
        {"sign_time": "2026-03-14 15:09:26\0"},
    ],
)  # fmt: skip
def test_a_malformed_parameter_is_an_error_in_the_request(deposit, changed):
    prepare(deposit, click_trans_id="7")
    number = PaymentAttempt.objects.get().pk

    assert prepare(deposit, **changed)["error"] == -8
    assert complete(deposit, number, **changed)["error"] == -8
    assert available(deposit) == 0


@pytest.mark.parametrize("order", ["no-such", "", EXAMPLE, "\0", "Ж" * 5000, EXAMPLE.replace("-", "")])
def test_an_unknown_order_is_no_account(order):
    assert prepare(order)["error"] == -5
    assert complete(order, 1)["error"] == -5


def test_a_deposit_of_another_provider_is_unknown_to_click():
    assert prepare(DepositFactory(amount=50_000_00))["error"] == -5


@pytest.mark.parametrize("number", [0, 999999999, 2**63, "9" * 19, "9" * 40, "x", "", "-1", "1.0", "1 or 1"])
def test_an_unknown_number_of_ours_is_no_transaction(deposit, number):
    prepare(deposit)

    assert complete(deposit, number)["error"] == -6
    assert complete(deposit, number, error=-5017)["error"] == -6


def test_the_number_of_another_deposit_is_no_transaction(deposit):
    other = make_deposit()
    prepare(deposit)
    number = prepare(other, click_trans_id="5")["merchant_prepare_id"]

    assert complete(deposit, number)["error"] == -6
    assert complete(deposit, number, click_trans_id="5")["error"] == -6
    assert available(deposit) == available(other) == 0


@pytest.mark.parametrize(
    "amount",
    ["300", "49999.99", "50000.01", "50000.001", "0", "-50000", "NaN", "Infinity", "5e4", "+50000", " 50000", "50 000", "5000000",
     "true", "", "١٢", "9" * 400, "50000\0", "0x10", "50000,00"],
)  # fmt: skip
def test_another_amount_is_refused(deposit, amount):
    assert prepare(deposit, amount=amount)["error"] == -2
    prepare(deposit)

    assert complete(deposit, amount=amount)["error"] == -2
    assert available(deposit) == 0


@pytest.mark.parametrize("amount", ["50000", "50000.0", "50000.00", "50000.000"])
def test_the_amount_is_compared_as_a_number_and_hashed_as_a_text(deposit, amount):
    assert prepare(deposit, amount=amount)["error"] == 0
    assert complete(deposit, amount=amount)["error"] == 0
    assert available(deposit) == 50_000_00


def test_a_deposit_with_tiyin_is_paid_with_tiyin():
    deposit = DepositFactory(amount=33_139_73, payment_method__code="click")

    prepare(deposit, amount="33139.73")
    complete(deposit, amount="33139.73")

    assert available(deposit) == 33_139_73


def test_paid_comes_before_the_amount_and_the_amount_before_cancelled(deposit):
    cancelled = make_deposit(status="cancelled")
    prepare(deposit)
    complete(deposit)

    assert prepare(deposit, amount="1")["error"] == -4
    assert prepare(deposit, amount="1", click_trans_id="9")["error"] == -4
    assert complete(deposit, amount="1")["error"] == -4
    assert prepare(cancelled, amount="1", click_trans_id="9")["error"] == -2
    assert prepare(cancelled, click_trans_id="9")["error"] == -9


# --- Repeats and order ----------------------------------------------------------------------------------


def test_a_repeated_prepare_is_the_same_try(deposit):
    assert prepare(deposit) == prepare(deposit)
    assert PaymentAttempt.objects.count() == 1


def test_a_prepare_with_another_number_is_another_try_and_either_may_be_paid(deposit):
    first = prepare(deposit)["merchant_prepare_id"]
    second = prepare(deposit, click_trans_id="5")["merchant_prepare_id"]
    assert first != second

    assert complete(deposit, second, click_trans_id="5")["error"] == 0
    assert complete(deposit, first)["error"] == -4
    assert available(deposit) == 50_000_00


def test_a_paid_deposit_cannot_be_prepared_again(deposit):
    prepare(deposit)
    complete(deposit)

    assert prepare(deposit)["error"] == -4
    assert prepare(deposit, click_trans_id="5")["error"] == -4


def test_a_failed_deposit_can_be_neither_prepared_nor_completed(deposit):
    prepare(deposit)
    complete(deposit, error=-1)

    assert prepare(deposit)["error"] == -9
    assert prepare(deposit, click_trans_id="5")["error"] == -9
    assert PaymentAttempt.objects.get().reason == -1


def test_money_that_click_has_taken_counts_though_another_try_failed(deposit):
    first = prepare(deposit)["merchant_prepare_id"]
    second = prepare(deposit, click_trans_id="5")["merchant_prepare_id"]
    complete(deposit, first, error=-5017)

    assert complete(deposit, second, click_trans_id="5")["error"] == 0
    assert available(deposit) == 50_000_00
    assert all(proof.holds for proof in checks.run())


def test_completing_before_preparing_credits_nothing(deposit):
    assert complete(deposit, 1)["error"] == -6
    assert available(deposit) == 0


def test_a_prepare_that_tells_of_a_failure_opens_nothing(deposit):
    assert prepare(deposit, error=-5017)["error"] == -9
    assert not PaymentAttempt.objects.exists()


def test_a_number_of_clicks_cannot_move_to_another_deposit(deposit):
    prepare(deposit)

    assert prepare(make_deposit())["error"] == -8


def test_a_try_that_nobody_completes_ends_after_a_day(deposit):
    prepare(deposit)
    PaymentAttempt.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert complete(deposit)["error"] == -9
    assert available(deposit) == 0


def test_clicks_own_time_and_numbers_are_kept(deposit):
    prepare(deposit)

    attempt = PaymentAttempt.objects.get()
    assert attempt.provider_time == datetime(2026, 3, 14, 10, 9, 26, tzinfo=UTC)
    assert attempt.expires_at > timezone.now() + timedelta(hours=23)
    assert (attempt.provider_id, attempt.details["paydoc_id"]) == (NUMBER, "778899")


# --- Bodies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_only_post_is_taken(method):
    answer = Client().generic(method, URL)

    assert answer.status_code == 200
    if method != "HEAD":
        assert answer.json()["error"] == -8


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"\xff\xfe", b"amount=%ff", b"{}", b"[]", b"&&&", b"=&=", b"a=1&" * 500, b"\0", b"sign_string=%00&action=%00"],
)  # fmt: skip
def test_a_malformed_body_is_an_error_in_the_request(body):
    assert post(body)["error"] == -8
    assert WebhookEvent.objects.get().status == "failed"


def test_a_body_that_is_too_large_is_not_read():
    answer = Client().post(URL, data=b"a=" + b"1" * 70_000, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 413


def test_stored_calls_hold_no_secret(deposit):
    prepare(deposit)
    complete(deposit)

    kept = json.dumps([[str(e.headers), bytes(e.body).decode(), e.query] for e in WebhookEvent.objects.all()])
    assert SECRET not in kept


def test_a_crash_of_ours_is_said_and_finished_later(deposit):
    prepare(deposit)
    broken = pytest.MonkeyPatch()
    broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
    assert complete(deposit)["error"] == -7
    broken.undo()
    assert available(deposit) == 0

    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))

    assert available(deposit) == 50_000_00


def test_a_complete_costs_a_fixed_number_of_queries(deposit, django_assert_num_queries):
    prepare(deposit)
    number = PaymentAttempt.objects.get().pk

    with django_assert_num_queries(20):  # with the savepoints of a test's transaction
        complete(deposit, number)


# --- Many at once -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_completes_at_once_one_succeeds(deposit):
    prepare(deposit)
    number = PaymentAttempt.objects.get().pk

    answers = in_parallel(*[lambda: complete(deposit, number)] * 20)

    assert sorted(answer["error"] for answer in answers) == [-4] * 19 + [0]
    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_prepares_at_once_are_one_try(deposit):
    answers = in_parallel(*[lambda: prepare(deposit)] * 20)

    assert len({json.dumps(answer) for answer in answers}) == 1
    assert answers[0]["error"] == 0
    assert PaymentAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_succeeding_and_failing_at_once_is_one_of_them(deposit):
    prepare(deposit)
    number = PaymentAttempt.objects.get().pk

    won, _lost = in_parallel(
        lambda: complete(deposit, number), lambda: complete(deposit, number, error=-5017)
    )

    assert available(deposit) == (50_000_00 if won["error"] == 0 else 0)
    assert all(proof.holds for proof in checks.run())


# --- What we ask Click ----------------------------------------------------------------------------------------


class MerchantApi:
    """Click's Merchant API as a list of what it answers, and of what it was asked."""

    def __init__(self, monkeypatch, settings):
        configured(settings, merchant_user_id="777", api_url="https://api.click.uz/v2/merchant")
        self.asked = []
        self.answers = []
        monkeypatch.setattr(http, "send", self.send)

    def send(self, method, url, *, body=None, headers=None):
        self.asked.append((method, url))
        assert headers["Auth"].startswith("777:")
        answer = self.answers.pop(0)
        if isinstance(answer, http.Reply):
            return answer
        if isinstance(answer, Exception):
            raise answer
        return http.Reply(200, json.dumps(answer).encode())


@pytest.fixture
def merchant_api(monkeypatch, settings):
    return MerchantApi(monkeypatch, settings)


def told(status, payment_id=778899):
    return {"error_code": 0, "error_note": "", "payment_id": payment_id, "payment_status": status}


def test_a_payment_whose_complete_got_lost_is_found_by_asking(deposit, merchant_api):
    prepare(deposit)
    merchant_api.answers = [told(2)]

    services.verify(transaction_id=deposit.pk)

    assert merchant_api.asked == [
        ("GET", f"https://api.click.uz/v2/merchant/payment/status_by_mti/12345/{deposit.pk}/2026-03-14")
    ]
    assert available(deposit) == 50_000_00
    assert complete(deposit)["error"] == -4, "the call that comes after all"
    assert available(deposit) == 50_000_00


@pytest.mark.parametrize("status", [0, 1, None, "2", 3, 2.0, True])
def test_a_payment_that_is_under_way_stays_open(deposit, merchant_api, status):
    prepare(deposit)
    merchant_api.answers = [told(status)]

    assert services.verify(transaction_id=deposit.pk).is_open
    assert available(deposit) == 0


def test_a_payment_that_failed_at_click_is_closed(deposit, merchant_api):
    prepare(deposit)
    merchant_api.answers = [told(-1, 5), told(-1)]

    assert services.verify(transaction_id=deposit.pk).is_open, "that is another payment"
    assert services.verify(transaction_id=deposit.pk).status == Transaction.Status.FAILED


def test_click_is_not_asked_about_what_it_never_prepared_nor_without_a_user(deposit, merchant_api, settings):
    services.verify(transaction_id=deposit.pk)
    prepare(deposit)
    configured(settings, merchant_user_id="")
    services.verify(transaction_id=deposit.pk)

    assert merchant_api.asked == []


@pytest.mark.parametrize(
    "answer", [http.NoAnswer("refused"), http.Reply(502, b""), http.Reply(200, b"<html>"), http.Reply(200, b"[]")]
)  # fmt: skip
def test_when_click_does_not_answer_the_payment_waits(deposit, merchant_api, answer):
    prepare(deposit)
    merchant_api.answers = [answer]

    with pytest.raises(ProviderUnavailable):
        services.verify(transaction_id=deposit.pk)

    deposit.refresh_from_db()
    assert deposit.is_open


def test_an_error_of_the_merchant_api_says_nothing_about_the_payment(deposit, merchant_api):
    prepare(deposit)
    merchant_api.answers = [{**told(2), "error_code": -16}]

    assert services.verify(transaction_id=deposit.pk).is_open


@pytest.fixture
def paid(deposit):
    prepare(deposit)
    complete(deposit)
    deposit.refresh_from_db()
    return deposit


def refund(payment, amount=50_000_00):
    return services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key="r")


def test_a_refund_reverses_the_payment_at_click(paid, merchant_api):
    merchant_api.answers = [told(2), {"error_code": 0, "error_note": "", "payment_id": 778899}]

    refund(paid)
    run_jobs()

    row = Refund.objects.get()
    assert (row.status, row.provider_refund_id) == ("succeeded", "778899")
    assert merchant_api.asked[-1] == (
        "DELETE",
        "https://api.click.uz/v2/merchant/payment/reversal/12345/778899",
    )
    assert available(paid) == 0
    assert PaymentAttempt.objects.get().state == "refunded"
    assert complete(paid)["error"] == -4
    assert all(proof.holds for proof in checks.run())


def test_a_refund_whose_answer_got_lost_is_not_asked_for_twice(paid, merchant_api):
    row = refund(paid)
    merchant_api.answers = [told(2), http.NoAnswer("timed out"), told(-99)]
    with pytest.raises(ProviderUnavailable):
        services.send_refund(refund_id=row.pk)

    assert services.send_refund(refund_id=row.pk).status == "succeeded"
    assert [method for method, _url in merchant_api.asked] == ["GET", "DELETE", "GET"]
    assert available(paid) == 0


def test_a_reversal_that_click_refuses_leaves_the_money_in_the_wallet(paid, merchant_api):
    merchant_api.answers = [told(2), {"error_code": -31, "error_note": "Only on the 1st"}]

    refund(paid)
    run_jobs()

    assert Refund.objects.get().status == "failed"
    assert available(paid) == 50_000_00
    assert all(proof.holds for proof in checks.run())


@pytest.mark.parametrize("answer", [{"error_code": -1}, told(None), told(2, "x")])
def test_a_status_that_says_nothing_lets_the_refund_wait(paid, merchant_api, answer):
    row = refund(paid)
    merchant_api.answers = [answer]

    with pytest.raises(ProviderUnavailable):
        services.send_refund(refund_id=row.pk)


def test_only_whole_payments_are_reversed_and_only_with_a_user(paid, settings):
    assert services.can_refund(paid, 50_000_00)
    assert not services.can_refund(paid, 1_00)
    configured(settings, merchant_user_id="")
    assert not services.can_refund(paid, 50_000_00)
