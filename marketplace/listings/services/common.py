"""What every write to a listing shares: the lock, and telling the caches."""

import uuid

from marketplace.core.cache import bump
from marketplace.listings.models import Listing


def locked(listing_id: uuid.UUID) -> Listing | None:
    """The listing with its seller and game, its own row locked until the transaction ends."""
    rows = Listing.objects.select_for_update(of=("self",)).select_related("seller", "game")
    return rows.filter(pk=listing_id).first()


def changed(listing: Listing, *fields: str) -> None:
    """Save the named fields as a new version of the listing; every page that shows it is stale after the commit."""
    listing.version += 1
    listing.save(update_fields=[*fields, "version", "updated_at"])
    stale(listing)


def stale(listing: Listing) -> None:
    """Everything that shows this listing is to be rendered anew after the commit."""
    bump("catalogue", f"listing:{listing.pk}", f"seller:{listing.seller_id}", f"game:{listing.game_id}")
