"""Kaspi's Biller protocol as the reference has it, over HTTP to our webhook."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.core.testing import in_parallel
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt, WebhookEvent
from marketplace.payments.services import webhooks
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/kaspi/kaspi-test-token/"
NUMBER = "1234567"
EXAMPLE = "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"
KASPI = "194.187.247.153"


@pytest.fixture
def deposit():
    return make_deposit()


def make_deposit(**more):
    given = {"amount": 2500_00, "currency": "KZT", "payment_method__code": "kaspi", **more}
    return DepositFactory(payment_method__name="Kaspi.kz", **given)


def ask(fields, *, url=URL, address=KASPI, method="get"):
    return getattr(Client(), method)(url, query_params=fields, REMOTE_ADDR=address)


def told(fields):
    answer = ask(fields)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def check(deposit, **changed):
    fields = {
        "command": "check",
        "txn_id": NUMBER,
        "account": str(getattr(deposit, "pk", deposit)),
        "sum": "2500.00",
    }
    return told({**fields, **changed})


def pay(deposit, **changed):
    fields = {"command": "pay", "txn_date": "20260314150926", "sum": "2500.00"}
    return check(deposit, **{**fields, **changed})


def available(deposit):
    return balances(deposit.user, "KZT").available


# --- The reference's example ------------------------------------------------------------------------------


def test_a_whole_payment_goes_as_in_the_documents(deposit):
    query = f"command=check&txn_id=1234567&account={deposit.pk}&sum=2500.00"
    checked = Client().get(f"{URL}?{query}", REMOTE_ADDR=KASPI)
    assert checked.content == b'{"txn_id": "1234567", "result": 0, "sum": 2500.00, "comment": ""}'
    assert available(deposit) == 0, "a check changes nothing"

    query = f"command=pay&txn_id=1234567&txn_date=20260314150926&account={deposit.pk}&sum=2500.00"
    paid = Client().get(f"{URL}?{query}", REMOTE_ADDR=KASPI)

    attempt = PaymentAttempt.objects.get()
    members = f'"txn_id": "1234567", "prv_txn_id": "{attempt.pk}", "result": 0, "sum": 2500.00, "comment": ""'
    assert paid.content.decode() == f"{{{members}}}"
    assert attempt.provider_time == datetime(2026, 3, 14, 10, 9, 26, tzinfo=UTC)
    assert available(deposit) == 2500_00
    assert balances(deposit.user).available == 0
    assert all(proof.holds for proof in checks.run())


def configured(settings, **values):
    config = {**settings.PAYMENT_CONFIG["kaspi"], **values}
    settings.PAYMENT_CONFIG = {**settings.PAYMENT_CONFIG, "kaspi": config}


def test_the_payers_link_follows_the_template(deposit, settings):
    configured(settings, link="https://kaspi.kz/pay/Shop?account={reference}&amount={amount}")

    payment = services.start_payment(
        user=deposit.user, amount=2500_50, currency="KZT", method_code="kaspi", idempotency_key="k"
    )

    assert payment.payment_url == f"https://kaspi.kz/pay/Shop?account={payment.pk}&amount=2500.50"


# --- The door -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("/api/v1/payments/webhooks/kaspi/", KASPI), ("/api/v1/payments/webhooks/kaspi/guess/", KASPI),
        (f"/api/v1/payments/webhooks/kaspi/{'x' * 500}/", KASPI), (URL, "8.8.8.8"),
        (URL, "194.187.247.151"), (URL, "194.187.247.168"),
        (URL, "::2"), (URL, ""), (URL, "::ffff:8.8.8.8"), ("/api/v1/payments/webhooks/kaspi/guess/", "8.8.8.8"),
    ],
)  # fmt: skip
def test_without_the_right_address_on_both_sides_kaspi_does_not_exist(deposit, url, address):
    answer = ask(
        {"command": "pay", "txn_id": "1", "account": str(deposit.pk), "sum": "2500.00"},
        url=url,
        address=address,
    )

    nobody = Client().get("/api/v1/payments/webhooks/nobody/")
    assert (answer.status_code, answer.content) == (nobody.status_code, nobody.content)
    assert answer.status_code == 404
    assert available(deposit) == 0
    assert WebhookEvent.objects.get().signature_ok is False


@pytest.mark.parametrize(
    "address", ["194.187.247.152", "194.187.247.159", "194.187.247.160", "194.187.247.167", "::ffff:194.187.247.153",
     "127.0.0.1", "::1"],
)  # fmt: skip
def test_the_quoted_networks_may_call_and_ourselves_outside_production(deposit, address):
    fields = {"command": "check", "txn_id": "1", "account": str(deposit.pk), "sum": "1"}

    assert ask(fields, address=address).json()["result"] == 0


def test_production_does_not_let_ourselves_call(deposit, settings):
    settings.DEVELOPER_PAGES = False
    fields = {"command": "check", "txn_id": "1", "account": str(deposit.pk), "sum": "1"}

    assert ask(fields, address="127.0.0.1").status_code == 404
    assert ask(fields).status_code == 200


def test_the_list_of_networks_is_a_setting(deposit, settings):
    configured(settings, networks="10.0.0.0/8, 192.0.2.7")
    fields = {"command": "check", "txn_id": "1", "account": str(deposit.pk), "sum": "1"}

    assert ask(fields, address="192.0.2.7").status_code == 200
    assert ask(fields).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "head"])
def test_only_get_is_taken(method):
    answer = ask({}, method=method)

    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert not WebhookEvent.objects.exists()


def test_stored_calls_hold_no_token(deposit):
    pay(deposit)
    ask({}, address="8.8.8.8")

    rows = [
        [e.action, e.query, str(e.headers), e.error, str(e.answer_body)] for e in WebhookEvent.objects.all()
    ]
    assert "kaspi-test-token" not in json.dumps(rows)


# --- Results ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "account", ["1042", "", "no-such", EXAMPLE, EXAMPLE.replace("-", ""), "\0", "Ж", "٠" * 36]
)
def test_an_unknown_account_is_not_found(account):
    assert check(account)["result"] == 1
    assert pay(account)["result"] == 1


def test_a_deposit_of_another_provider_is_not_found():
    other = DepositFactory(amount=2500_00, currency="KZT")

    assert check(other)["result"] == 1
    assert pay(other)["result"] == 1


def test_a_cancelled_deposit_is_cancelled():
    deposit = make_deposit(status="cancelled")

    assert (check(deposit)["result"], pay(deposit)["result"]) == (2, 2)
    assert available(deposit) == 0


def test_a_paid_deposit_is_paid(deposit):
    pay(deposit)

    assert check(deposit, txn_id="5")["result"] == 3
    assert pay(deposit, txn_id="5")["result"] == 3
    assert available(deposit) == 2500_00


def test_a_repeated_pay_gets_the_first_answer_and_credits_once(deposit):
    first = pay(deposit)

    assert pay(deposit) == first
    assert first["result"] == 0
    assert JournalEntry.objects.count() == 1


def test_a_number_of_kaspis_cannot_move_to_another_deposit(deposit):
    other = make_deposit()
    pay(deposit)

    assert pay(other)["result"] == 5
    assert available(other) == 0


@pytest.mark.parametrize(
    "amount",
    ["2499.99", "2500.01", "2500.001", "250000", "0", "-2500", "NaN", "Infinity", "2.5e3", "", "2500,00", "true", "9" * 400,
     " 2500", "٢٥٠٠"],
)  # fmt: skip
def test_another_sum_is_refused_where_it_counts(deposit, amount):
    assert check(deposit, sum=amount)["result"] == 0, "a check may carry a dummy"
    assert pay(deposit, sum=amount)["result"] == 5
    assert available(deposit) == 0


@pytest.mark.parametrize("amount", ["2500", "2500.0", "2500.00", "2500.000"])
def test_the_sum_is_compared_as_a_number(deposit, amount):
    assert pay(deposit, sum=amount)["result"] == 0
    assert available(deposit) == 2500_00


def test_soms_are_not_tenge():
    deposit = make_deposit(currency="UZS")

    assert pay(deposit)["result"] == 5
    assert balances(deposit.user).available == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"command": "cancel"}, {"command": ""}, {"command": "PAY"}, {"txn_id": ""}, {"txn_id": "x"}, {"txn_id": "-1"},
        {"txn_id": "1" * 21}, {"txn_id": "١"}, {"txn_id": "1\0"}, {"txn_date": ""}, {"txn_date": "2026-03-14"},
        {"txn_date": "20260230000000"},
        {"txn_date": "00010101000000"}, {"txn_date": "9" * 14},
    ],
)  # fmt: skip
def test_a_malformed_parameter_is_another_error(deposit, changed):
    assert pay(deposit, **changed)["result"] == 5
    assert available(deposit) == 0


@pytest.mark.parametrize(
    "query", ["", "x", "command", "%ff=%ff", "&&&", "command=pay&command=check", "a=1&" * 200, "%00"]
)
def test_a_malformed_query_is_another_error(query):
    answer = Client().get(f"{URL}?{query}", REMOTE_ADDR=KASPI)

    assert (answer.status_code, answer.json()["result"]) == (200, 5)


def test_a_crash_of_ours_is_in_progress_and_is_finished_later(deposit):
    broken = pytest.MonkeyPatch()
    broken.setattr(webhooks, "act", lambda *_args: 1 / 0)
    assert pay(deposit)["result"] == 4
    broken.undo()

    services.sweep_webhooks(at=timezone.now() + timedelta(minutes=5))

    assert available(deposit) == 2500_00
    assert pay(deposit)["result"] == 0


def test_a_check_costs_a_fixed_number_of_queries(deposit, django_assert_num_queries):
    with django_assert_num_queries(7):  # four of them are the savepoints of a test's transaction
        check(deposit)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_pays_at_once_get_one_answer_and_credit_once(deposit):
    answers = in_parallel(*[lambda: pay(deposit)] * 20)

    assert len({json.dumps(answer) for answer in answers}) == 1
    assert answers[0]["result"] == 0
    assert available(deposit) == 2500_00


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_twenty_pays_with_other_numbers_one_succeeds(deposit):
    answers = in_parallel(*[lambda number=number: pay(deposit, txn_id=str(number)) for number in range(20)])

    assert sorted(answer["result"] for answer in answers) == [0] + [3] * 19
    assert available(deposit) == 2500_00
