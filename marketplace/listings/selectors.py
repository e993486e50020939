"""Reads about listings."""

import uuid

from marketplace.listings.models import Listing


def listing_for_purchase(listing_id: uuid.UUID) -> Listing | None:
    """A listing that is on sale or in a trade, with its seller and game; None for one that was never published."""
    seen = [Listing.Status.ACTIVE, Listing.Status.RESERVED, Listing.Status.SOLD]
    return Listing.objects.alive().with_card().filter(pk=listing_id, status__in=seen).first()
