"""A visit counts once per visitor and day."""

import queue
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import in_parallel
from marketplace.listings import services, visits
from marketplace.listings.models import ListingView
from marketplace.listings.tests.factories import ListingFactory

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def visit(listing, *, address="203.0.113.7", agent=BROWSER, user=None, **headers):
    request = RequestFactory().get("/", REMOTE_ADDR=address, headers={"User-Agent": agent, **headers})
    request.user = user or AnonymousUser()
    visits.count(request, listing.pk)


def views(listing):
    listing.refresh_from_db()
    return listing.views_count


def test_the_same_visitor_counts_once():
    listing = ListingFactory()

    visit(listing)
    visit(listing)
    visits.forget_all()  # another process, or after a restart
    visit(listing)

    assert views(listing) == 1


def test_others_count_on_their_own():
    listing = ListingFactory()

    visit(listing)
    visit(listing, address="203.0.113.8")
    visit(listing, user=UserFactory())

    assert views(listing) == 3


def test_visitors_behind_our_proxy_are_told_apart_and_a_header_of_anybodys_does_not_count(settings):
    settings.REAL_IP_HEADER, settings.TRUSTED_PROXIES = "X-Real-IP", ["10.0.0.0/8"]
    listing = ListingFactory()

    for real in ("203.0.113.7", "203.0.113.8"):
        visit(listing, address="10.0.0.1", **{"X-Real-IP": real})
    for made_up in ("198.51.100.1", "198.51.100.2"):
        visit(listing, address="203.0.113.9", **{"X-Real-IP": made_up})

    assert views(listing) == 3


def test_a_repetition_costs_no_query(django_assert_num_queries):
    listing = ListingFactory()
    visit(listing)

    with django_assert_num_queries(0):
        visit(listing)


def test_the_next_day_counts_again():
    listing, now = ListingFactory(), timezone.now()

    assert services.record_view(listing_id=listing.pk, visitor="a", at=now)
    assert not services.record_view(listing_id=listing.pk, visitor="a", at=now)
    assert services.record_view(listing_id=listing.pk, visitor="a", at=now + timedelta(days=1))
    assert views(listing) == 2


@pytest.mark.parametrize("agent", ["", "Googlebot/2.1", "curl/8.0", "TelegramBot (like TwitterBot)"])
def test_bots_do_not_count(agent):
    listing = ListingFactory()

    visit(listing, agent=agent)

    assert views(listing) == 0


def test_the_seller_and_a_prefetch_do_not_count():
    listing = ListingFactory()

    visit(listing, user=listing.seller)
    visit(listing, **{"Sec-Purpose": "prefetch"})

    assert views(listing) == 0


def test_no_address_is_stored():
    visit(ListingFactory(), address="203.0.113.7")

    row = ListingView.objects.get()
    assert "203.0.113.7" not in str(vars(row))
    assert len(row.visitor) == 32


# --- Beside the answer ------------------------------------------------------------------------------


@pytest.fixture
def writer(settings, monkeypatch):
    """Visits wait to be written, as they do outside of tests; the writer does nothing by itself."""
    settings.COURIER_THREAD = True
    monkeypatch.setattr(visits, "_work", lambda: None)
    yield
    visits.write_waiting()


def test_a_page_does_not_wait_for_the_visit_to_be_written(writer, django_assert_num_queries):
    listing = ListingFactory()

    with django_assert_num_queries(0):
        visit(listing)
        visit(listing, address="203.0.113.8")
    visits.write_waiting()

    assert views(listing) == 2


def test_a_crowd_that_the_database_cannot_follow_loses_visits_and_nothing_else(writer, monkeypatch, caplog):
    monkeypatch.setattr(visits._writer, "waiting", queue.Queue(1))
    listing = ListingFactory()

    visit(listing)
    visit(listing, address="203.0.113.8")
    visits.write_waiting()

    assert views(listing) == 1
    assert "too many wait" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_same_visitor_counts_once_also_at_the_same_moment():
    listing, now = ListingFactory(), timezone.now()

    def look():
        return services.record_view(listing_id=listing.pk, visitor="a", at=now)

    assert sorted(in_parallel(look, look, look)) == [False, False, True]
    assert views(listing) == 1
