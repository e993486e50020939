"""Somebody reads what they were told, with a script and without one, and says what they want to be told."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from playwright.sync_api import expect

from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.notifications.groups import kinds_in
from marketplace.notifications.models import Notification, NotificationPreference
from marketplace.notifications.selectors import is_free
from marketplace.notifications.services import notify

pytestmark = pytest.mark.e2e


def in_thread(work):
    """The browser driver keeps a loop running in this thread, which realtime messages do not like."""
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(work).result()
        thread.submit(connections.close_all).result()
    return found


@pytest.fixture
def reader(site):
    def make():
        user = UserFactory(language="en")
        for title in ("First account", "Second account"):
            notify(user=user, kind="listing_approved", context={"title": title}, action_url="/me/listings/")
        return user

    return in_thread(make)


def row(person, title):
    return person.page.locator("li", has_text=title)


def unread_of(user):
    return in_thread(lambda: Notification.objects.filter(user=user, is_read=False).count())


def test_a_row_is_marked_at_once_and_the_counters_follow(visitor, reader):
    person = visitor()
    person.logs_in(reader.email, PASSWORD)
    person.goes_to("/notifications/")
    mark = row(person, "First account").get_by_role("button", name="Mark as read")
    dot = row(person, "First account").locator("span.bg-accent")
    held = []
    person.page.route("**/read/", lambda route: held.append(route))

    mark.click()
    expect(dot).to_have_css("opacity", "0")  # while the server has not answered yet
    assert unread_of(reader) == 2
    held[0].continue_()

    expect(mark).to_have_count(0)
    expect(person.page.locator("#unread-side")).to_have_text("1")
    expect(row(person, "Second account").get_by_role("button", name="Mark as read")).to_be_visible()
    assert unread_of(reader) == 1


def test_a_row_that_could_not_be_marked_is_unread_again(visitor, reader):
    person = visitor()
    person.logs_in(reader.email, PASSWORD)
    person.goes_to("/notifications/")
    person.page.route("**/read/", lambda route: route.fulfill(status=500, body=""))

    row(person, "First account").get_by_role("button", name="Mark as read").click()

    expect(person.page.locator("#toasts")).to_contain_text("Something broke on our side")
    expect(row(person, "First account").locator("span.bg-accent")).to_have_css("opacity", "1")
    person.complaints = [line for line in person.complaints if "500" not in line]


def test_everything_works_without_a_script(visitor, reader):
    person = visitor(scripts=False)
    person.logs_in(reader.email, PASSWORD)
    person.goes_to("/notifications/")

    row(person, "First account").get_by_role("button", name="Mark as read").click()
    expect(row(person, "First account").get_by_role("button", name="Mark as read")).to_have_count(0)
    row(person, "Second account").get_by_role("button", name="Unread. Your listing").click()
    expect(person.page).to_have_url(re.compile("/me/listings/$"))
    person.goes_to("/notifications/preferences/")
    person.page.locator("#id_listings_email").uncheck()
    person.writes("Your phrase", "Qora choy")
    person.presses("Save")

    person.sees("Your choice is saved")
    expect(person.page.locator("#id_listings_email")).not_to_be_checked()
    off = in_thread(lambda: NotificationPreference.objects.filter(user=reader, is_on=False).count())
    mailed = [kind for kind in kinds_in("listings") if is_free(kind, "email")]
    assert (unread_of(reader), off) == (0, len(mailed))
