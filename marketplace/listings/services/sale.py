"""A listing on its way through a trade. Called by the trade's own services, inside their transaction."""

import uuid

from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.transactions import joins_transaction
from marketplace.listings.errors import ListingNotAvailable, OwnListing
from marketplace.listings.facts import ListingReleased, ListingReserved, ListingSold, ListingWithdrawn
from marketplace.listings.models import Listing
from marketplace.listings.services.common import changed, locked_for_trade

Status = Listing.Status


@joins_transaction
def reserve(*, listing_id: uuid.UUID, buyer: User) -> Listing:
    """Keep an offer for one buyer. Returns it with its seller, as it stands under the lock.

    Raises ListingNotAvailable when it is not on sale (any more) and OwnListing when the buyer is its seller.
    """
    listing = locked_for_trade(listing_id)
    if listing is None or not listing.is_on_sale or not _may_sell(listing.seller):
        raise ListingNotAvailable(f"listing {listing_id} is {listing.status if listing else 'unknown'}")
    if listing.seller_id == buyer.pk:
        raise OwnListing(f"listing {listing_id}")
    _move(listing, Status.RESERVED)
    announce(ListingReserved(listing_id=listing.pk, seller_id=listing.seller_id))
    return listing


@joins_transaction
def release_reservation(*, listing_id: uuid.UUID) -> Listing:
    """Put an offer back on sale after a trade that came to nothing, unless its seller was switched off meanwhile.

    Doing it twice changes nothing.
    """
    listing = _known(listing_id)
    if listing.status != Status.RESERVED:
        return listing
    # Asked under the listing's lock: whoever switches the seller off waits for it, or has been here before.
    if not User.objects.filter(pk=listing.seller_id, is_active=True, deletion_due_at__isnull=True).exists():
        return take_down(listing_id=listing_id)
    _move(listing, Status.ACTIVE)
    announce(ListingReleased(listing_id=listing.pk, seller_id=listing.seller_id))
    return listing


@joins_transaction
def mark_sold(*, listing_id: uuid.UUID) -> Listing:
    """The trade is confirmed: the account is the buyer's. Doing it twice changes nothing.

    Raises ListingNotAvailable unless the listing was reserved.
    """
    listing = _known(listing_id)
    if listing.status == Status.SOLD:
        return listing
    if listing.status != Status.RESERVED:
        raise ListingNotAvailable(f"listing {listing_id} is {listing.status}, not reserved")
    listing.sold_at = timezone.now()
    _move(listing, Status.SOLD, "sold_at")
    announce(ListingSold(listing_id=listing.pk, seller_id=listing.seller_id))
    return listing


@joins_transaction
def take_down(*, listing_id: uuid.UUID) -> Listing:
    """Take a reserved offer off sale, because its trade showed that the seller does not deliver.

    The seller can put it back from "my listings". Doing it twice changes nothing.
    """
    listing = _known(listing_id)
    if listing.status != Status.RESERVED:
        return listing
    _move(listing, Status.ARCHIVED)
    announce(ListingWithdrawn(listing_id=listing.pk, seller_id=listing.seller_id))
    return listing


def _known(listing_id: uuid.UUID) -> Listing:
    listing = locked_for_trade(listing_id)
    if listing is None:
        raise ListingNotAvailable(f"listing {listing_id} is unknown")
    return listing


def _may_sell(seller: User) -> bool:
    return seller.is_active and not seller.is_leaving


def _move(listing: Listing, status: Status, *fields: str) -> None:
    listing.status = status
    changed(listing, "status", *fields)
