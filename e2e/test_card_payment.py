"""A payer types a card and the bank's code on our own pages, with scripts and without, and finds no fault with them."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from e2e import axe
from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.tests.factories import PaymentMethodFactory

pytestmark = pytest.mark.e2e

WRONG, GOOD = "8600 0067 0000 0007", "8600 1200 0000 0003"


@pytest.fixture
def payment(site):
    PaymentMethodFactory(code="uzcard", name="Uzcard")
    return services.start_payment(
        user=UserFactory(language="en"),
        amount=150_000_00,
        method_code="uzcard",
        idempotency_key="k",
        return_url=f"{site}/wallet/",
    )


def signed_in(visitor, site, user, **options):
    client = Client()
    client.force_login(user)
    person = visitor(**options)
    cookies = {"sessionid": client.cookies["sessionid"].value, "django_language": "en"}
    person.page.context.add_cookies(
        [{"name": name, "value": value, "url": site} for name, value in cookies.items()]
    )
    return person


def sees_no_fault(person, axe_source):
    assert axe.violations(person.page, axe_source) == []
    assert person.page.evaluate("document.documentElement.scrollWidth") <= person.page.viewport_size["width"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_card_and_its_code_pay_on_a_phone(visitor, site, payment, axe_source, theme):
    phone = {"viewport": {"width": 360, "height": 780}, "color_scheme": theme}
    payer = signed_in(visitor, site, payment.user, **phone)

    payer.goes_to(payment.payment_url)
    payer.reads_heading("Pay by card")
    sees_no_fault(payer, axe_source)
    payer.writes("Card number", WRONG)
    payer.writes("Valid until", "09/35")
    payer.presses("Get a code")
    payer.sees("The bank does not take this card")
    sees_no_fault(payer, axe_source)

    payer.writes("Card number", GOOD)
    payer.page.keyboard.press("Enter")
    payer.reads_heading("Confirm the payment")
    sees_no_fault(payer, axe_source)
    payer.writes("Code from the SMS", "000000")
    payer.page.keyboard.press("Enter")
    payer.sees("The code is wrong or no longer valid")
    sees_no_fault(payer, axe_source)

    payer.writes("Code from the SMS", "111111")
    payer.presses("Pay 150")
    payer.reads_heading("Payment received")
    assert balances(payment.user).available == 150_000_00


def test_it_works_without_scripts(visitor, site, payment):
    payer = signed_in(visitor, site, payment.user, scripts=False)

    payer.goes_to(payment.payment_url)
    payer.writes("Card number", GOOD)
    payer.writes("Valid until", "09/35")
    payer.presses("Get a code")
    payer.writes("Code from the SMS", "111111")
    payer.presses("Pay 150")

    expect(payer.page.get_by_role("heading", name="Payment received")).to_be_visible()
