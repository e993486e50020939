import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.core import http
from marketplace.ledger import accounts
from marketplace.ledger.selectors import balances
from marketplace.ledger.services import post
from marketplace.ledger.tests.factories import fund
from marketplace.payments import selectors, services
from marketplace.payments.models import Transaction
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload, through_test_client

pytestmark = pytest.mark.django_db

WALLET = "/wallet/"
DEPOSIT = "/wallet/deposit/"
WITHDRAW = "/wallet/withdraw/"


@pytest.fixture
def user(client):
    PaymentMethodFactory()
    person = UserFactory()
    client.force_login(person)
    return person


def hidden_key(page):
    return re.search(r'name="key" value="([0-9a-f]{32})"', page.text).group(1)


def send(client, url=DEPOSIT, **fields):
    return client.post(url, {"key": uuid4().hex, "amount": "150 000", "method": "sandbox", **fields})


@pytest.mark.parametrize("url", [WALLET, DEPOSIT, WITHDRAW])
def test_visitors_are_sent_to_the_log_in_page(client, url):
    assert client.get(url).url.startswith("/accounts/login/")


def test_the_wallet_shows_what_is_available_held_and_on_the_way(client, user):
    fund(user, 5_000_000_00)
    legs = {accounts.available(user.pk): -1_500_000_00, accounts.held(user.pk): 1_500_000_00}
    post("hold", key="h", currency="UZS", legs=legs)
    services.withdraw(user=user, amount=980_000_00, card_number="8600000000000007", idempotency_key="w")

    page = client.get(WALLET).text.replace("\u00a0", " ")

    assert "2 520 000" in page
    assert "1 500 000" in page
    assert "980 000" in page
    assert "Payout to Uzcard •• 0007" in page


def test_a_new_wallet_says_what_to_do(client, user):
    page = client.get(WALLET).text

    assert "No transactions yet" in page
    assert DEPOSIT in page


def test_the_history_is_filtered_by_type_status_and_period(client, user):
    done, old = DepositFactory(user=user, amount=111_000_00), DepositFactory(user=user, amount=333_000_00)
    deliver(payload(done))
    Transaction.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
    services.withdraw(user=user, amount=22_000_00, card_number="8600000000000007", idempotency_key="w")

    def shown(**query):
        page = client.get(WALLET, query)
        return sorted(row.amount for row in page.context["page"])

    assert shown() == [22_000_00, 111_000_00, 333_000_00]
    assert shown(type="deposits") == [111_000_00, 333_000_00]
    assert shown(type="payouts") == [22_000_00]
    assert shown(type="sales") == []
    assert shown(status="completed") == [111_000_00]
    assert shown(period="30") == [22_000_00, 111_000_00]
    assert shown(type="nonsense", status="nonsense", period="-1", page="x", days="x") == [
        22_000_00,
        111_000_00,
        333_000_00,
    ]


def test_htmx_gets_the_history_alone(client, user):
    fragment = client.get(WALLET, headers={"HX-Request": "true", "HX-Target": "transactions"})
    page = client.get(WALLET)

    assert fragment.text.lstrip().startswith("<section")
    assert "<html" in page.text


def test_the_wallet_takes_a_fixed_number_of_queries(client, user, django_assert_max_num_queries):
    for number in range(25):
        deliver(payload(DepositFactory(user=user, amount=1_000_00 + number)))
    client.get(WALLET)

    with django_assert_max_num_queries(9):
        page = client.get(WALLET)

    assert len(page.context["page"]) == 20
    assert "?page=2" in page.text


def test_the_chart_counts_the_balance_back_from_today(user, django_assert_num_queries):
    fund(user, 300_00)
    legs = {accounts.available(user.pk): -100_00, accounts.held(user.pk): 100_00}
    post("hold", key="h", currency="UZS", legs=legs)
    today = timezone.now().date()

    available = balances(user).available
    with django_assert_num_queries(1):
        points = selectors.balance_by_day(user, available=available, today=today, days=7)

    assert [point.balance for point in points] == [0] * 7 + [200_00]
    assert points[-1].day == today


def test_a_deposit_goes_on_to_the_providers_page(client, user):
    page = client.get(DEPOSIT)

    answer = send(client, key=hidden_key(page))

    payment = Transaction.objects.get()
    assert answer.status_code == 302
    assert answer.url == payment.payment_url
    assert (payment.user, payment.amount, payment.status) == (user, 150_000_00, "pending")


def test_a_preset_fills_the_amount(client, user):
    assert 'value="100000"' in client.get(DEPOSIT, {"amount": "100000"}).text


def test_a_stale_form_sent_twice_is_one_payment(client, user):
    key = hidden_key(client.get(DEPOSIT))

    first, second = send(client, key=key), send(client, key=key)

    assert first.url == second.url
    assert Transaction.objects.count() == 1


def test_a_finished_form_sent_again_shows_its_result(client, user):
    key = hidden_key(client.get(DEPOSIT))
    send(client, key=key)
    payment = Transaction.objects.get()
    deliver(payload(payment))

    answer = send(client, key=key)

    assert answer.url == reverse("payments:return", args=[payment.pk])
    assert balances(user).available == 150_000_00


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": ""}, "This field is required"),
        ({"amount": "abc"}, "Enter an amount in digits"),
        ({"amount": "-150000"}, "Enter an amount in digits"),
        ({"amount": "0"}, "Enter at least"),
        ({"amount": "999"}, "Enter at least"),
        ({"amount": "50 000 001"}, "Enter at most"),
        ({"amount": "9" * 30}, "Enter an amount in digits"),
        ({"amount": "1000.505"}, "at most two decimals"),
        ({"amount": "1e6"}, "Enter an amount in digits"),
        ({"method": ""}, "Choose how to pay"),
        ({"method": "nobody"}, "Choose one of the methods"),
    ],
)
def test_a_wrong_field_is_explained_beside_it_and_nothing_is_written(client, user, fields, said):
    answer = send(client, **fields)

    assert answer.status_code == 422
    assert said in answer.text
    assert not Transaction.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "a" * 33, "'; DROP TABLE"])
def test_a_forged_key_is_no_server_error(client, user, key):
    assert send(client, key=key).status_code == 422
    assert not Transaction.objects.exists()


def test_a_used_key_with_another_amount_is_explained_and_gets_a_new_key(client, user):
    key = hidden_key(client.get(DEPOSIT))
    send(client, key=key)

    answer = send(client, key=key, amount="200 000")

    assert answer.status_code == 422
    assert hidden_key(answer) != key
    assert Transaction.objects.count() == 1


def test_the_methods_own_limit_is_explained(client, user):
    PaymentMethodFactory(code="sandbox").__class__.objects.update(max_amount=100_000_00)

    answer = send(client)

    assert answer.status_code == 422
    assert "Sandbox takes from" in answer.text


def test_without_any_method_the_page_says_so(client, user, settings):
    settings.PAYMENT_PROVIDERS = {}

    assert "No way to pay right now" in client.get(DEPOSIT).text


def test_the_return_page_waits_then_tells_the_truth(client, user):
    send(client)
    payment = Transaction.objects.get()
    result = reverse("payments:return", args=[payment.pk])

    waiting = client.get(result)
    assert "Waiting for the payment" in waiting.text
    assert 'http-equiv="refresh"' in waiting.text
    assert balances(user).available == 0, "coming back credits nothing"

    deliver(payload(payment))
    fragment = client.get(result, headers={"HX-Request": "true", "HX-Target": "result"})
    assert "Payment received" in fragment.text
    assert "hx-trigger" not in fragment.text
    assert 'http-equiv="refresh"' not in client.get(result).text


def test_the_failure_page_offers_another_try(client, user):
    payment = DepositFactory(user=user)
    deliver(payload(payment, state="declined"))

    page = client.get(reverse("payments:return", args=[payment.pk]))

    assert "did not go through" in page.text
    assert DEPOSIT in page.text


def test_the_provider_sends_the_payer_back_by_the_forms_key(client, user):
    key = uuid4().hex
    send(client, key=key)

    answer = client.get(reverse("payments:back", args=[key]))

    assert answer.url == reverse("payments:return", args=[Transaction.objects.get().pk])
    assert client.get(reverse("payments:back", args=["nobody"])).status_code == 404


def test_asking_for_the_state_of_a_payment_asks_the_provider(client, user, monkeypatch):
    wire = through_test_client(monkeypatch)
    send(client)
    payment = Transaction.objects.get()

    answer = client.post(reverse("payments:check", args=[payment.pk]))

    assert answer.status_code == 302
    assert wire == [("GET", f"/sandbox/api/payments/{payment.pk}/", 404)]


def test_a_provider_that_does_not_answer_is_said_clearly(client, user, monkeypatch):
    def nobody(*_args, **_kwargs):
        raise http.NoAnswer("refused")

    monkeypatch.setattr(http, "send", nobody)
    send(client)

    answer = client.post(reverse("payments:check", args=[Transaction.objects.get().pk]))

    assert answer.status_code == 503
    assert "does not answer" in answer.text


@pytest.mark.parametrize("name", ["transaction", "return"])
def test_someone_elses_transaction_is_not_found(client, user, name):
    payment = DepositFactory()

    assert client.get(reverse(f"payments:{name}", args=[payment.pk])).status_code == 404
    assert client.post(reverse("payments:check", args=[payment.pk])).status_code == 404


def test_a_transaction_page_offers_to_continue_an_open_payment(client, user):
    send(client)
    payment = Transaction.objects.get()
    url = reverse("payments:transaction", args=[payment.pk])

    assert "Continue the payment" in client.get(url).text
    deliver(payload(payment))
    assert "Continue the payment" not in client.get(url).text


def test_a_trades_line_leads_to_its_trade(client, user):
    entry = fund(user, 5000_00)
    trade = uuid4()
    services.record(
        user=user, type="sale", amount=5000_00, currency="UZS", entry=entry, reference=trade,
        description="Genshin AR 58",
        metadata={"price": 6000_00, "commission": 1000_00},
    )  # fmt: skip

    row = Transaction.objects.get(user=user)
    page = client.get(reverse("payments:transaction", args=[row.pk])).text

    assert "Sale of Genshin AR 58" in page
    assert reverse("escrow:trade", args=[trade]) in page


def test_a_withdrawal_is_asked_for_and_shown(client, user):
    fund(user, 1_000_000_00)
    page = client.get(WITHDRAW)

    answer = client.post(
        WITHDRAW,
        {
            "key": hidden_key(page),
            "amount": "400 000",
            "card": "new",
            "card_number": "8600 0000 0000 0007",
            "password": PASSWORD,
        },
        follow=True,
    )

    assert "Your payout is on its way" in answer.text
    assert balances(user).available == 600_000_00


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "2 000 000"}, "not enough money"),
        ({"amount": "5"}, "Enter at least"),
        ({"card_number": "8600 0000 0000 0008"}, "not a valid card or account number"),
        ({"card_number": "9999 0000 0000 0005"}, "not a valid card or account number"),
        ({"card_number": "20208000905123456001"}, "An account needs the bank’s code".replace("’", "&#x27;")),
        ({"card_number": ""}, "not a valid card or account number"),
        ({"card_number": "x" * 100}, "at most 48 characters"),
        ({"card": "0198"}, "Choose one of the cards shown"),
        ({"password": ""}, "Enter your password"),
        ({"password": "wrong"}, "This is not your password"),
    ],
)
def test_a_wrong_withdrawal_is_explained_and_moves_nothing(client, user, fields, said):
    fund(user, 1_000_000_00)

    answer = client.post(
        WITHDRAW,
        {
            "key": uuid4().hex,
            "amount": "400 000",
            "card": "new",
            "card_number": "8600 0000 0000 0007",
            "password": PASSWORD,
            **fields,
        },
    )

    assert answer.status_code == 422
    assert said in answer.text
    assert balances(user).available == 1_000_000_00
    assert not Transaction.objects.exists()


def test_a_form_without_a_token_is_refused(user):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert send(strict).status_code == 403
