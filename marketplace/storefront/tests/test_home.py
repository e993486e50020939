"""The front page: real counts, newest offers, and nothing invented."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import page_cache
from marketplace.listings import services
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import FavoriteFactory, ListingFactory, game

pytestmark = pytest.mark.django_db
URL = reverse("storefront:home")


def page(client):
    response = client.get(URL)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_market_invites_the_first_seller(client):
    html = page(client)

    assert "Nothing is on sale yet" in html
    assert reverse("listings:sell") in html
    assert "Premium offers" not in html


def test_games_stand_with_the_number_of_their_offers(client):
    ListingFactory.create_batch(2)
    ListingFactory(game=game("steam"))
    ListingFactory(status=Listing.Status.SOLD)

    words = " ".join(strip_tags(page(client)).split())

    assert "2 offers" in words
    assert "1 offer" in words.replace("1 offers", "")
    assert "3 offers" not in words


def test_the_newest_offers_on_sale_are_shown_and_no_others(client):
    ListingFactory(title="Oldest of nine")
    ListingFactory.create_batch(8, title="Glacier set")
    ListingFactory(title="Not yet looked at", status=Listing.Status.PENDING)

    html = page(client)

    assert html.count("Glacier set</a>") == 8
    assert "Oldest of nine" not in html
    assert "Not yet looked at" not in html


def test_the_waits_are_those_of_the_settings(client, settings):
    from datetime import timedelta

    settings.ESCROW_PAYMENT_WINDOW = timedelta(minutes=45)
    settings.ESCROW_ACCEPT_WINDOW = timedelta(hours=36)

    html = page(client)

    assert "kept for you for 45 minutes" in html
    assert "36 hours to check" in html


def test_premium_offers_have_a_shelf_when_there_are_any(client):
    ListingFactory(is_premium=True)

    assert "Premium offers" in page(client)


def test_a_signed_in_reader_sees_their_hearts(client):
    favourite = FavoriteFactory()
    client.force_login(favourite.user)

    assert 'aria-pressed="true"' in page(client)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("offers", [1, 8])
def test_a_signed_in_reader_costs_at_most_eight_queries(client, django_assert_max_num_queries, offers):
    ListingFactory.create_batch(offers, is_premium=True)
    client.force_login(UserFactory())
    client.get(URL)

    with django_assert_max_num_queries(8):
        client.get(URL)


def test_a_second_visitor_costs_no_query(client, django_assert_num_queries):
    ListingFactory()
    client.get(URL)

    with django_assert_num_queries(0):
        assert "Conqueror account" in Client().get(URL).content.decode()


def test_a_sale_is_gone_from_the_page_of_the_next_visitor(client, django_capture_on_commit_callbacks):
    listing = ListingFactory(title="Only one of its kind")
    assert "Only one of its kind" in page(client)

    with django_capture_on_commit_callbacks(execute=True):
        services.reserve(listing_id=listing.pk, buyer=UserFactory())

    assert "Only one of its kind" not in page(client)


def test_a_change_is_seen_by_another_process(client, django_capture_on_commit_callbacks):
    """Each process has a memory of its own; what they share is the generation in the shared cache."""
    listing = ListingFactory(title="Seen in both")
    page(client)
    other_process = page_cache._bodies
    page_cache._bodies = type(other_process)(other_process.maxsize, other_process.getsizeof)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            services.reserve(listing_id=listing.pk, buyer=UserFactory())
        assert "Seen in both" not in page(client)
    finally:
        page_cache._bodies = other_process

    assert "Seen in both" not in page(client)
