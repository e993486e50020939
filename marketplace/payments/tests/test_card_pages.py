"""The pages that take a card and the code from its bank, with the gateway playing ATMOS."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import http
from marketplace.core.models import Job
from marketplace.core.testing import run_jobs
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.gateway.plays import PLAYS
from marketplace.payments.models import SandboxCall, SandboxPayment, Transaction
from marketplace.payments.providers import atmos
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db

GOOD, POOR, BAD, BROKEN = "8600120000000003", "8600011200000002", "8600006700000007", "8600000100000006"


@pytest.fixture
def wire(monkeypatch):
    atmos._tokens.clear()
    yield through_test_client(monkeypatch)
    atmos._tokens.clear()


@pytest.fixture(params=["uzcard", "humo"])
def payment(request, wire):
    PaymentMethodFactory(code=request.param, name=request.param.title())
    return services.start_payment(
        user=UserFactory(),
        amount=150_000_00,
        method_code=request.param,
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


@pytest.fixture
def browser(payment):
    client = Client()
    client.force_login(payment.user)
    return client


def card_page(payment):
    return reverse("payments:card", args=[payment.pk])


def code_page(payment):
    return reverse("payments:code", args=[payment.pk])


def send_card(browser, payment, number=GOOD, expiry="09/30"):
    return browser.post(card_page(payment), {"card_number": number, "expiry": expiry})


def send_code(browser, payment, code="111111"):
    return browser.post(code_page(payment), {"code": code})


def available(payment):
    payment.refresh_from_db()
    return balances(payment.user).available


def test_card_and_code_pay_the_deposit(browser, payment):
    assert payment.payment_url == f"http://testserver{card_page(payment)}"
    assert browser.get(card_page(payment)).status_code == 200

    answer = send_card(browser, payment, "8600 1200 0000 0003", "09 / 30")
    assert answer.url == code_page(payment)
    page = browser.get(code_page(payment)).content.decode()
    assert "•• 0003" in page
    assert available(payment) == 0

    answer = send_code(browser, payment)
    assert answer.url == reverse("payments:return", args=[payment.pk])
    assert available(payment) == 150_000_00
    assert all(proof.holds for proof in checks.run())


def test_the_cards_number_is_kept_nowhere(browser, payment):
    send_card(browser, payment)
    send_code(browser, payment)

    rows = [
        *Transaction.objects.values(), *SandboxPayment.objects.values(), *SandboxCall.objects.values(), *Job.objects.values(),
    ]  # fmt: skip
    assert GOOD not in json.dumps(rows, default=str)
    assert GOOD not in json.dumps(dict(browser.session))


@pytest.mark.parametrize(
    ("number", "field", "words"),
    [
        (BAD, "card_number", "does not take this card"),
        (POOR, "card_number", "not enough money"),
        (BROKEN, None, "does not answer"),
    ],
)
def test_what_the_bank_refuses_stands_beside_its_field(browser, payment, number, field, words):
    answer = send_card(browser, payment, number)

    assert answer.status_code == 422
    said = answer.context["form"].errors if field else {None: answer.context["form"].non_field_errors()}
    assert words in str(said[field])
    assert available(payment) == 0


@pytest.mark.parametrize(
    "number",
    [
        "",
        "8600",
        "8600120000000004",
        "٨" * 16,
        "x" * 40,
        "0000000000000000",
        "8600\x00120000000003",
        "9" * 40,
    ],
)
def test_a_number_that_is_none_never_leaves_the_shop(browser, payment, wire, number):
    before = len(wire)

    answer = send_card(browser, payment, number)

    assert answer.status_code == 422
    assert answer.context["form"].errors["card_number"]
    assert len(wire) == before


@pytest.mark.parametrize(
    "expiry", ["", "13/30", "00/30", "9/30", "0930x", "01/20", "09/99", "٠٩/٣٠", "09\x0030", "x" * 30]
)
def test_a_date_that_is_none_or_over_is_refused(browser, payment, expiry):
    answer = send_card(browser, payment, expiry=expiry)

    assert answer.status_code == 422
    assert answer.context["form"].errors["expiry"]


@pytest.mark.parametrize("expiry", ["0930", "09/30", "09-30", "09 30", " 09.30 "])
def test_a_date_is_read_as_people_write_it(browser, payment, expiry):
    assert send_card(browser, payment, expiry=expiry).status_code == 302


def test_this_month_is_not_over(browser, payment):
    assert send_card(browser, payment, expiry=timezone.localdate().strftime("%m/%y")).status_code == 302


@pytest.mark.parametrize("code", ["", "12", "abcdef", "1" * 20, "١١١١١١", "11\x0011"])
def test_a_code_that_is_none_is_refused_without_costing_a_try(browser, payment, code):
    send_card(browser, payment)

    answer = send_code(browser, payment, code)

    assert answer.status_code == 422
    assert answer.context["form"].errors["code"]
    payment.refresh_from_db()
    assert payment.metadata["card"]["codes"] == 0


def test_a_wrong_code_can_be_corrected_a_few_times(browser, payment):
    send_card(browser, payment)
    for _time in range(5):
        answer = send_code(browser, payment, "000000")
        assert answer.status_code == 422
        assert "wrong or no longer valid" in str(answer.context["form"].errors["code"])

    answer = send_code(browser, payment)
    assert "Too many tries" in str(answer.context["form"].non_field_errors())
    assert available(payment) == 0

    send_card(browser, payment)
    send_code(browser, payment)
    assert available(payment) == 150_000_00


def test_an_atmos_that_is_down_is_said_and_the_payment_stays_open(browser, payment, monkeypatch):
    def nobody(*_args, **_kwargs):
        raise http.NoAnswer("refused")

    monkeypatch.setattr(http, "send", nobody)
    answer = send_card(browser, payment)

    assert answer.status_code == 422
    assert "does not answer" in str(answer.context["form"].non_field_errors())
    payment.refresh_from_db()
    assert payment.is_open


def test_an_answer_that_is_lost_leads_to_the_waiting_page(browser, payment, monkeypatch):
    send_card(browser, payment)
    real = http.send

    def lost(method, url, **more):
        if url.endswith("/merchant/pay/apply"):
            real(method, url, **more)
            raise http.NoAnswer("cut off")
        return real(method, url, **more)

    monkeypatch.setattr(http, "send", lost)
    assert send_code(browser, payment).url == reverse("payments:return", args=[payment.pk])
    assert available(payment) == 0

    Job.objects.filter(task="tasks.payments.process_deposit").update(run_at=timezone.now())
    run_jobs()
    assert available(payment) == 150_000_00


def test_without_a_card_there_is_no_code_to_type(browser, payment):
    assert browser.get(code_page(payment)).url == card_page(payment)


@pytest.mark.parametrize("page", [card_page, code_page])
def test_a_finished_payment_leads_to_its_result(browser, payment, page):
    send_card(browser, payment)
    send_code(browser, payment)

    for answer in (browser.get(page(payment)), browser.post(page(payment), {})):
        assert answer.url == reverse("payments:return", args=[payment.pk])


@pytest.mark.parametrize("page", [card_page, code_page])
def test_the_pages_are_their_owners_and_are_never_stored(browser, payment, page):
    stranger = Client()
    assert stranger.get(page(payment)).status_code == 302
    stranger.force_login(UserFactory())
    assert stranger.get(page(payment)).status_code == 404
    assert stranger.post(page(payment), {}).status_code == 404

    assert "no-store" in browser.get(page(payment))["Cache-Control"]


def test_deposits_of_other_methods_take_no_card_here(browser, payment):
    other = DepositFactory(user=payment.user)

    assert browser.get(card_page(other)).status_code == 404
    assert browser.get(code_page(other)).status_code == 404


@pytest.mark.parametrize("page", [card_page, code_page])
def test_a_page_costs_few_queries(browser, payment, page, django_assert_max_num_queries):
    send_card(browser, payment)

    with django_assert_max_num_queries(7):
        assert browser.get(page(payment)).status_code == 200


# --- The company's desk -----------------------------------------------------------------------------------------------


def press(payment, *names):
    client = Client()
    at_gateway = SandboxPayment.objects.get(order=payment.pk)
    desk = reverse("payments:gateway", args=[at_gateway.provider])
    page = client.get(f"{desk}?transaction={at_gateway.details['transaction']}", follow=True)
    assert page.status_code == 200
    for name in names:
        client.post(reverse("payments:gateway-press", args=[at_gateway.pk, name]))
    Job.objects.filter(task="tasks.payments.process_deposit").update(run_at=timezone.now())
    run_jobs()
    return available(payment)


@pytest.mark.parametrize(
    ("buttons", "credited"),
    [
        (["pay"], 150_000_00), (["twice"], 150_000_00), (["disorder"], 150_000_00), (["forged"], 0), (["amount"], 0),
        (["decline"], 0), (["forged", "amount", "pay"], 150_000_00),
    ],
)  # fmt: skip
def test_each_button_of_the_desk_moves_the_money_as_it_says(payment, buttons, credited):
    assert press(payment, *buttons) == credited
    assert all(proof.holds for proof in checks.run())


def test_every_button_is_tried_here():
    for code in ("uzcard", "humo"):
        names = {button.name for button in PLAYS[code].buttons}
        assert names == {"pay", "twice", "disorder", "forged", "amount", "decline"}


def test_a_refund_goes_back_through_the_played_company(browser, payment):
    send_card(browser, payment)
    send_code(browser, payment)

    services.refund(transaction_id=payment.pk, amount=150_000_00, reason="", idempotency_key="r")
    run_jobs()

    assert available(payment) == 0
    assert payment.refunds.get().status == "succeeded"
    assert SandboxPayment.objects.get().state == "refunded"


@pytest.mark.parametrize(
    "path", ["token", "merchant/pay/create", "merchant/pay/apply", "merchant/pay/get", "nothing"]
)
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"store_id": "test-uzcard-store", "transaction_id": "\\u0000"}']
)
def test_the_played_api_refuses_nonsense(client, path, body):
    for token in ("Bearer played-test-uzcard-store", "Bearer x", "", "Basic eDp4"):
        answer = client.generic("POST", f"/sandbox/uzcard/api/{path}", body, headers={"Authorization": token})
        assert answer.status_code in {200, 401}
    assert not SandboxPayment.objects.exists()


def test_a_desk_without_its_transaction_is_not_found(client):
    for query in ("", "?transaction=", "?transaction=5", "?transaction=%00", "?transaction=x"):
        assert client.get(f"/sandbox/uzcard/pay/{query}").status_code == 404
