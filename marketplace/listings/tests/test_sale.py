"""A listing on its way through a trade: kept for one buyer, sold once."""

import threading

import pytest

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import in_parallel
from marketplace.listings import services
from marketplace.listings.errors import ListingNotAvailable, OwnListing
from marketplace.listings.models import Credentials, Listing
from marketplace.listings.services import sale
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory

pytestmark = pytest.mark.django_db


def test_a_reserved_listing_is_kept_for_one_buyer():
    listing = ListingFactory()

    services.reserve(listing_id=listing.pk, buyer=UserFactory())

    with pytest.raises(ListingNotAvailable):
        services.reserve(listing_id=listing.pk, buyer=UserFactory())


def test_a_seller_cannot_buy_their_own_offer():
    listing = ListingFactory()

    with pytest.raises(OwnListing):
        services.reserve(listing_id=listing.pk, buyer=listing.seller)


@pytest.mark.parametrize(
    "status", ["draft", "pending", "reserved", "sold", "rejected", "blocked", "archived"]
)
def test_only_what_is_on_sale_can_be_reserved(status):
    listing = ListingFactory(status=status)

    with pytest.raises(ListingNotAvailable):
        services.reserve(listing_id=listing.pk, buyer=UserFactory())


def test_a_released_listing_is_on_sale_again_and_releasing_twice_changes_nothing():
    listing = ListingFactory(status="reserved")

    services.release_reservation(listing_id=listing.pk)
    services.release_reservation(listing_id=listing.pk)

    listing.refresh_from_db()
    assert listing.is_on_sale


def test_a_sold_listing_has_its_time_and_stays_sold():
    listing = ListingFactory(status="reserved")

    sold = services.mark_sold(listing_id=listing.pk)
    again = services.mark_sold(listing_id=listing.pk)

    assert sold.status == again.status == Listing.Status.SOLD
    assert again.sold_at == sold.sold_at


def test_what_was_not_reserved_cannot_be_sold():
    listing = ListingFactory()

    with pytest.raises(ListingNotAvailable):
        services.mark_sold(listing_id=listing.pk)


def test_an_undelivered_listing_is_taken_down():
    listing = ListingFactory(status="reserved")

    services.take_down(listing_id=listing.pk)

    listing.refresh_from_db()
    assert listing.status == Listing.Status.ARCHIVED


def test_the_vault_keeps_its_secrets():
    vault = Credentials.objects.get(pk=ListingFactory().pk)

    assert vault.account_password == PASSWORD
    assert PASSWORD not in f"{vault!r} {vault}"
    assert LOGIN not in f"{vault!r} {vault}"


# --- Two buyers at the same moment -----------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_simultaneous_buyers_one_gets_it():
    listing = ListingFactory()
    first, second = UserFactory(), UserFactory()

    results = in_parallel(
        lambda: services.reserve(listing_id=listing.pk, buyer=first),
        lambda: services.reserve(listing_id=listing.pk, buyer=second),
    )

    assert sorted(type(result).__name__ for result in results) == ["Listing", "ListingNotAvailable"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_would_get_it(monkeypatch):
    """The control: it shows that the race above is real."""
    listing = ListingFactory()
    first, second = UserFactory(), UserFactory()
    both_have_read = threading.Barrier(2)

    def unlocked(listing_id):
        found = Listing.objects.select_related("seller", "game").get(pk=listing_id)
        both_have_read.wait(timeout=10)
        return found

    monkeypatch.setattr(sale, "locked_for_trade", unlocked)

    results = in_parallel(
        lambda: services.reserve(listing_id=listing.pk, buyer=first),
        lambda: services.reserve(listing_id=listing.pk, buyer=second),
    )

    assert [type(result) for result in results] == [Listing, Listing]
