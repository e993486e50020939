"""The way to pay: two currencies, groups, amounts that fit; and what the page of a result honestly says."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger.tests.factories import fund
from marketplace.payments import services
from marketplace.payments.models import PaymentMethod, Transaction
from marketplace.payments.services.refunds import take_back
from marketplace.payments.templatetags.payments import MARKS
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload

pytestmark = pytest.mark.django_db

DEPOSIT = "/wallet/deposit/"


@pytest.fixture
def user(client, monkeypatch):
    """Signed in, where a wallet, a card and a bank of Kazakhstan can be paid with."""
    provider = settings.PAYMENT_PROVIDERS["sandbox"]
    for code, icon, currency, least, most in (
        ("sandbox", "credit-card", "UZS", 1_000_00, 300_000_00),
        ("payme", "wallet", "UZS", 1_000_00, 150_000_00),
        ("kaspi", "wallet", "KZT", 3_000_00, 30_000_00),
    ):
        PaymentMethod.objects.update_or_create(
            code=code,
            defaults={
                "name": code.title(), "icon": icon, "currency": currency, "min_amount": least,
                "max_amount": most, "is_active": True,
            },
        )  # fmt: skip
        monkeypatch.setitem(settings.PAYMENT_PROVIDERS, code, provider)
    PaymentMethod.objects.exclude(code__in=["sandbox", "payme", "kaspi"]).update(is_active=False)
    person = UserFactory()
    client.force_login(person)
    return person


def send(client, url=DEPOSIT, **fields):
    return client.post(url, {"key": uuid4().hex, "amount": "150 000", "method": "sandbox", **fields})


def test_ways_to_pay_are_grouped_and_say_their_limits(client, user):
    page = client.get(DEPOSIT)
    text = page.text.replace("\u00a0", " ")

    assert [(label, [one.code for one in found]) for label, found in page.context["groups"]] == [
        ("Wallets", ["payme"]),
        ("Cards", ["sandbox"]),
    ]
    assert "1 000 to 150 000 soʻm" in text
    assert "Kaspi" not in text


def test_tenge_have_their_own_ways_limits_and_amounts(client, user):
    fund(user, 12_00, currency="KZT")

    page = client.get(DEPOSIT, {"currency": "KZT"})

    assert [label for label, _found in page.context["groups"]] == ["Kazakhstan"]
    assert page.context["presets"] == [5_000_00, 10_000_00, 25_000_00]
    assert "₸" in page.text
    assert page.context["money"].available == 12_00


def test_amounts_to_choose_from_fit_some_method(client, user):
    assert client.get(DEPOSIT).context["presets"] == [50_000_00, 100_000_00, 200_000_00]


def test_a_payment_in_tenge_is_opened_in_tenge(client, user):
    answer = send(client, DEPOSIT + "?currency=KZT", amount="5 000", method="kaspi")

    payment = Transaction.objects.get()
    assert answer.status_code == 302
    assert (payment.currency, payment.amount) == ("KZT", 5_000_00)


def test_the_method_says_the_currency_when_the_address_does_not(client, user):
    send(client, amount="5 000", method="kaspi")

    assert Transaction.objects.get().currency == "KZT"


@pytest.mark.parametrize(("amount", "said"), [("2 999", "Enter at least"), ("30 001", "Enter at most")])
def test_the_limits_of_tenge_are_those_of_its_methods(client, user, amount, said):
    answer = send(client, DEPOSIT + "?currency=KZT", amount=amount, method="kaspi")

    assert answer.status_code == 422
    assert said in answer.text
    assert not Transaction.objects.exists()


def test_a_currency_that_nobody_takes_offers_the_others(client, user):
    page = client.get(DEPOSIT, {"currency": "USD"}).text

    assert "No way to pay right now" in page
    assert "/wallet/deposit/?currency=KZT" in page


def test_every_way_to_pay_has_a_tile_of_ours():
    drawn = {Path(file).stem for mark in MARKS if (file := finders.find(f"img/pay/{mark}.svg"))}

    assert drawn == MARKS
    assert set(PaymentMethod.objects.values_list("code", flat=True)) <= MARKS


def test_a_way_without_a_tile_shows_its_icon(client, user):
    PaymentMethodFactory(code="newbank", name="New Bank")
    PaymentMethod.objects.filter(code="newbank").update(icon="landmark")
    settings.PAYMENT_PROVIDERS["newbank"] = "x"
    try:
        page = client.get(DEPOSIT).text
    finally:
        del settings.PAYMENT_PROVIDERS["newbank"]

    assert "#i-landmark" in page
    assert "newbank.svg" not in page


def test_the_page_takes_a_fixed_number_of_queries(client, user, django_assert_num_queries):
    client.get(DEPOSIT)

    with django_assert_num_queries(6):  # session, person, methods, money, notifications
        client.get(DEPOSIT)


# --- The page of a result -------------------------------------------------------------------------


def result(client, payment):
    return client.get(reverse("payments:return", args=[payment.pk]))


def test_a_pending_payment_says_for_what_since_when_and_until_when(client, user):
    payment = DepositFactory(user=user)

    page = result(client, payment)

    assert page.context["given_up_at"] == payment.created_at + timedelta(hours=24)
    for said in ("the word of Sandbox", "We give up at", "Do not pay a second time", f"#{payment.number}"):
        assert said in page.text


def test_the_promise_to_give_up_is_kept(client, user, monkeypatch):
    payment = DepositFactory(user=user)
    at = result(client, payment).context["given_up_at"]
    monkeypatch.setattr("marketplace.payments.services.verification.verify", lambda transaction_id: payment)

    services.sweep_pending(at=at - timedelta(minutes=1))
    payment.refresh_from_db()
    assert payment.is_open
    services.sweep_pending(at=at + timedelta(minutes=30))
    payment.refresh_from_db()

    assert payment.status == "cancelled"


@pytest.mark.parametrize(
    ("status", "said"), [("failed", "did not go through"), ("cancelled", "was cancelled")]
)
def test_a_payment_that_was_not_made_says_what_to_do(client, user, status, said):
    payment = DepositFactory(user=user, status=status, failed_at=timezone.now())

    page = result(client, payment).text

    assert said in page
    assert "Did money leave your card all the same?" in page
    assert "Try again" in page


def test_a_payment_that_went_back_says_how_much(client, user):
    payment = DepositFactory(user=user, amount=100_000_00)
    deliver(payload(payment))
    assert "Payment received" in result(client, payment).text
    payment.refresh_from_db()
    take_back(payment, amount=40_000_00, key="k", reason="", may_owe=True)

    page = result(client, payment).text.replace("\u00a0", " ")

    assert "The payment was given back" in page
    assert "−40 000" in page
    assert "out of 100 000 soʻm" in page
