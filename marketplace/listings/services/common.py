"""What every write to a listing shares: the lock, and telling the caches."""

import uuid

from marketplace.core import realtime
from marketplace.core.cache import bump
from marketplace.listings.models import Listing

# What a trade reads of a listing and of its seller: buying should be quick, and the rest is two long rows.
_OF_LISTING = ("status", "deleted_at", "game", "title", "price", "currency", "version")
_OF_SELLER = (
    "is_active", "full_name", "username", "handle", "plan", "language", "timezone", "deleted_at", "deletion_due_at",
)  # fmt: skip


def locked(listing_id: uuid.UUID) -> Listing | None:
    """The listing with its seller and game, its own row locked until the transaction ends."""
    rows = Listing.objects.select_for_update(of=("self",)).select_related("seller", "game")
    return rows.filter(pk=listing_id).first()


def locked_for_trade(listing_id: uuid.UUID) -> Listing | None:
    """The same with only what a trade reads of it and of its seller. No game."""
    rows = Listing.objects.select_for_update(of=("self",)).select_related("seller")
    seller = (f"seller__{name}" for name in _OF_SELLER)
    return rows.only(*_OF_LISTING, *seller).filter(pk=listing_id).first()


def changed(listing: Listing, *fields: str) -> None:
    """Save the named fields as a new version of the listing; every page that shows it is stale after the commit."""
    listing.version += 1
    listing.save(update_fields=[*fields, "version", "updated_at"])
    stale(listing)


def stale(listing: Listing) -> None:
    """Everything that shows this listing is to be rendered anew after the commit, and open pages hear of it."""
    bump("catalogue", f"listing:{listing.pk}", f"seller:{listing.seller_id}", f"game:{listing.game_id}")
    # Visitors hear it too: nothing that only some may know.
    told = {"id": str(listing.pk)}
    realtime.publish(f"listing:{listing.pk}", "listing_changed", told)
    realtime.publish("catalogue", "card_changed", told)


def queue_changed() -> None:
    """What waits for a moderator has become more or less."""
    realtime.publish("queue", "queue_changed", {})
