"""The ways that matter can be gone without a mouse, and one always sees where one is."""

import pytest
from playwright.sync_api import expect

from marketplace.accounts.tests.factories import UserFactory
from marketplace.listings.tests.factories import ListingFactory

pytestmark = pytest.mark.e2e

_OUTLINE = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
}"""
_NAME = "() => document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"
_HIDDEN = """() => {
  const box = document.activeElement.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return !(document.activeElement.contains(top) || top?.contains(document.activeElement));
}"""


def tab_to(page, name, most=60):
    """Press Tab until what is focused says `name`; every stop on the way must be seen."""
    for _press in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(_OUTLINE), f"no focus ring on “{page.evaluate(_NAME)}”"
        if page.evaluate(_NAME).startswith(name):
            return
    raise AssertionError(f"{name} is not among the first {most} stops")


def test_the_first_stop_leads_past_the_header(visitor, site):
    person = visitor()
    person.goes_to("/")

    person.page.keyboard.press("Tab")
    expect(person.page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    person.page.keyboard.press("Enter")

    expect(person.page.locator("#main")).to_be_focused()


def test_an_offer_is_bought_by_keyboard_alone(visitor, site):
    listing, buyer = ListingFactory(title="Bought without a mouse"), UserFactory()
    person = visitor()
    person.logs_in(buyer.email)
    person.goes_to(listing.get_absolute_url())

    tab_to(person.page, "Buy with escrow")
    person.page.keyboard.press("Enter")
    expect(person.page).to_have_url(f"{site}/listings/{listing.pk}/buy/")
    person.page.get_by_role("radio", name="Sandbox").focus()
    person.page.keyboard.press("Space")
    tab_to(person.page, "Buy for")
    person.page.keyboard.press("Enter")

    person.sees("Sandbox Pay")


def test_the_bar_at_the_bottom_of_a_phone_never_covers_what_is_focused(visitor, site):
    listing = ListingFactory(description="One line.\n\n" * 60)
    person = visitor(viewport={"width": 390, "height": 700})
    person.goes_to(listing.get_absolute_url())

    for _press in range(20):
        person.page.keyboard.press("Tab")
        assert not person.page.evaluate(_HIDDEN), person.page.evaluate(_NAME)
