"""A moderator's day at the desk: three decisions, by keys or without a script."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from marketplace.accounts.tests.factories import UserFactory
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory

pytestmark = pytest.mark.e2e


@pytest.fixture
def desk(visitor, site):
    """`desk(scripts=False)`: a moderator before the queue, with the listings that are the first three in it."""

    def sit_down(**options):
        long_ago = timezone.now() - timedelta(days=900)
        titles = ("The first of them", "The second of them", "The third of them")
        listings = [
            ListingFactory(status="pending", title=title, submitted_at=long_ago + timedelta(hours=hour))
            for hour, title in enumerate(titles)
        ]
        person = visitor(**options)
        person.logs_in(UserFactory(is_staff=True, is_superuser=True).email)
        person.goes_to("/moderation/")
        return person, listings

    yield sit_down
    Listing.objects.filter(status="pending").update(status="draft")


def looks_at(person, listing):
    """The listing is in view, and the page's script has come too: it shows the keys."""
    person.reads_heading(listing.title)
    expect(person.page.locator("#decision .kbd").first).to_be_visible()


def status_of(listing):
    return Listing.objects.get(pk=listing.pk).status


def test_keys_lead_through_the_queue_and_decide(desk):
    person, (first, second, third) = desk()
    keys = person.page.keyboard
    looks_at(person, first)

    keys.press("j")
    looks_at(person, second)
    keys.press("j")
    looks_at(person, third)
    keys.press("k")
    looks_at(person, second)
    keys.press("a")
    person.sees("is published")

    assert [status_of(one) for one in (first, second, third)] == ["pending", "active", "pending"]


def test_a_decision_that_needs_a_reason_opens_at_the_reason(desk):
    person, (first, *_others) = desk()
    keys, page = person.page.keyboard, person.page
    looks_at(person, first)

    keys.press("r")
    expect(page.locator("#id_reject_reason")).to_be_focused()
    keys.press("Shift+Tab")  # out of the field, where letters are no text
    keys.press("c")
    expect(page.locator("#id_changes_reason")).to_be_focused()
    expect(page.locator("#id_reject_reason")).to_be_hidden()
    page.locator("#id_changes_words").focus()
    keys.type("A clear picture, rank, all jackets")
    assert status_of(first) == "pending", "letters in a field are letters"
    person.presses("Give back to be changed")
    person.sees("was given back to its seller")

    first.refresh_from_db()
    assert first.status == "draft"
    assert first.rejection_reason.endswith("A clear picture, rank, all jackets")


def test_the_keys_are_shown_and_work_on_a_cyrillic_keyboard_but_not_as_commands_of_the_browser(desk):
    person, (first, second, _third) = desk()
    page = person.page
    looks_at(person, first)

    page.keyboard.press("Control+a")
    assert status_of(first) == "pending"
    page.evaluate("""document.body.dispatchEvent(
        new KeyboardEvent('keydown', { key: '\u043e', code: 'KeyJ', bubbles: true })
    )""")

    looks_at(person, second)


def test_the_desk_works_without_scripts_and_then_shows_no_keys(desk):
    person, (first, *_others) = desk(scripts=False)
    page = person.page

    expect(page.locator("#decision .kbd").first).to_be_hidden()
    page.locator("summary", has_text=re.compile("Reject")).click()
    person.chooses("Reason", "This may not be sold here")
    person.presses("Reject with this reason")
    person.sees("was rejected")

    assert status_of(first) == "rejected"
