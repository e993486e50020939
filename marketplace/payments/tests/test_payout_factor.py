"""Payouts and the second factor: asked of those who have one, and needed by all for much money."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import (
    PASSWORD,
    UserFactory,
    code_of_app,
    recovery_codes,
    with_app,
)
from marketplace.core.testing import in_parallel
from marketplace.ledger.tests.factories import fund
from marketplace.payments import services
from marketplace.payments.errors import SecondFactorNeeded
from marketplace.payments.models import PayoutCard, Transaction

pytestmark = pytest.mark.django_db
CARD = "8600 0000 0000 0007"
KEY = "0123456789abcdef0123456789abcdef"
REFUSED, REDIRECT, LOCKED_OUT, FORBIDDEN = 422, 302, 429, 403
MUCH = 5_000_000_00


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def user():
    person = UserFactory()
    fund(person, 20_000_000_00)
    return person


@pytest.fixture
def mine(user):
    client = Client()
    client.force_login(user)
    return client


def asks(browser, **more):
    form = {"amount": "400000", "card": "new", "card_number": CARD, "key": KEY, **more}
    return browser.post(reverse("payments:withdraw"), form)


def withdraw(user, amount, key="key", currency="UZS"):
    return services.withdraw(
        user=user, amount=amount, card_number=CARD, idempotency_key=key, currency=currency
    )


def test_the_password_will_do_for_who_has_no_second_factor(user, mine):
    assert 'name="code"' not in mine.get(reverse("payments:withdraw")).text
    assert asks(mine, password="Wrong7741").status_code == REFUSED
    assert asks(mine, password=PASSWORD).status_code == REDIRECT


def test_who_has_one_is_asked_for_it_and_not_for_the_password(user, mine):
    with_app(user)

    page = mine.get(reverse("payments:withdraw")).text
    refused = asks(mine, password=PASSWORD)
    taken = asks(mine, code=code_of_app())

    assert 'name="password"' not in page
    assert refused.status_code == REFUSED
    assert "Enter the code." in refused.text
    assert taken.status_code == REDIRECT


def test_a_password_said_a_moment_ago_is_not_enough_for_who_has_one(user, mine):
    with_app(user)
    mine.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert asks(mine).status_code == REFUSED
    assert not Transaction.objects.exists()


def test_a_code_said_a_moment_ago_is(user, mine):
    with_app(user)
    mine.post("/accounts/2fa/reauthenticate/", {"code": code_of_app()})

    assert asks(mine).status_code == REDIRECT


def test_what_was_said_a_while_ago_is_said_again(user, mine, monkeypatch):
    with_app(user)
    mine.post("/accounts/2fa/reauthenticate/", {"code": code_of_app()})
    now = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: now)

    assert asks(mine).status_code == REFUSED
    assert asks(mine, code=code_of_app()).status_code == REDIRECT


def test_a_recovery_code_pays_out_once(user, mine):
    with_app(user)
    code = recovery_codes(user)[0]
    assert asks(mine, code=code).status_code == REDIRECT

    other = Client()
    other.force_login(user)

    assert asks(other, code=code, key=KEY[::-1]).status_code == REFUSED


def test_wrong_codes_lock_the_account(user, mine, settings):
    settings.AXES_ENABLED = True
    with_app(user)
    wrong = f"{(int(code_of_app()) + 1) % 1_000_000:06}"

    answers = [asks(mine, code=wrong).status_code for _try in range(5)]

    assert answers == [REFUSED] * 4 + [LOCKED_OUT]
    assert asks(mine, code=code_of_app()).status_code == LOCKED_OUT
    assert not Transaction.objects.exists()


def test_a_code_is_not_spent_on_a_form_that_is_wrong_elsewhere(user, mine):
    with_app(user)
    code = code_of_app()

    assert asks(mine, code=code, amount="1").status_code == REFUSED
    assert asks(mine, code=code).status_code == REDIRECT


# --- Much money ---------------------------------------------------------------------------------------


def test_much_money_is_paid_out_only_to_who_has_a_second_factor(user):
    with pytest.raises(SecondFactorNeeded):
        withdraw(user, MUCH)
    assert not Transaction.objects.exists()

    with_app(user)

    assert withdraw(user, MUCH).amount == MUCH


def test_many_small_payouts_of_a_day_are_much_money_too(user):
    withdraw(user, MUCH - 100_000_00, "one")

    with pytest.raises(SecondFactorNeeded):
        withdraw(user, 100_000_00, "two")


def test_less_needs_none(user):
    assert withdraw(user, MUCH - 1)


@pytest.mark.parametrize(("currency", "much"), [("KZT", 200_000_00), ("USD", 400_00)])
def test_each_currency_has_its_own_limit(user, currency, much):
    fund(user, much * 2, currency=currency)

    with pytest.raises(SecondFactorNeeded):
        withdraw(user, much, currency=currency)
    assert withdraw(user, much - 1, currency=currency)


def test_the_page_says_so_beside_the_amount_and_leads_to_where_one_is_set_up(user, mine):
    page = mine.get(reverse("payments:withdraw")).text
    refused = asks(mine, amount="5000000", password=PASSWORD)

    assert reverse("mfa_index") in page
    assert refused.status_code == REFUSED
    assert "takes a second factor" in refused.text


def test_the_api_says_so_with_a_code_of_its_own(user, mine):
    body = {"amount": "5000000.00", "card_number": CARD, "password": PASSWORD}

    answer = mine.post("/api/v1/payments/withdraw/", body, content_type="application/json")

    assert answer.status_code == FORBIDDEN
    assert answer.json()["error"]["code"] == "second_factor_needed"


def test_wrong_codes_at_the_api_lock_the_account(user, mine, settings):
    settings.AXES_ENABLED = True
    with_app(user)
    wrong = f"{(int(code_of_app()) + 1) % 1_000_000:06}"
    body = {"amount": "400000.00", "card_number": CARD, "code": wrong}

    answers = [
        mine.post("/api/v1/payments/withdraw/", body, content_type="application/json") for _try in range(5)
    ]

    assert [answer.status_code for answer in answers] == [400] * 4 + [LOCKED_OUT]
    assert answers[-1].json()["error"]["code"] == "locked_out"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_payouts_at_one_moment_are_much_money_together(user):
    results = in_parallel(
        lambda: withdraw(user, 3_000_000_00, "one"), lambda: withdraw(user, 3_000_000_00, "two")
    )

    assert Transaction.objects.filter(type="withdrawal").count() == 1
    assert sum(isinstance(one, SecondFactorNeeded) for one in results) == 1


# --- The cards ----------------------------------------------------------------------------------------


def test_a_card_is_removed_only_by_who_has_just_said_who_they_are(user, mine):
    card = services.save_card(user=user, card_number=CARD)
    path = reverse("payments:remove-card", args=[card.pk])

    asked = mine.post(path)
    still_there = PayoutCard.objects.filter(removed_at=None).count()
    mine.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": path})

    assert asked.url.startswith("/accounts/reauthenticate/")
    assert still_there == 1
    assert not PayoutCard.objects.filter(removed_at=None).exists()
