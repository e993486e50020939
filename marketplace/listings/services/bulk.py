"""Many listings at once: seeds and benchmarks."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction

from marketplace.core.cache import bump
from marketplace.listings import search
from marketplace.listings.models import Listing


@transaction.atomic
def import_listings(listings: Sequence[Listing], *, batch: int = 1000) -> None:
    """Insert ready rows (status and its times set, `game` and `seller` loaded) and make them findable."""
    for listing in listings:
        listing.seller_rating = listing.seller.rating or 0
        search.index(listing)
    Listing.objects.bulk_create(listings, batch_size=batch)
    search.learn(listings)
    bump("catalogue")


@transaction.atomic
def note_seller(
    *, seller_id: uuid.UUID, rating: Decimal | None = None, is_premium: bool | None = None
) -> None:
    """A seller's mark or plan changed: their offers are ordered and filtered by it."""
    rows = Listing.objects.filter(seller_id=seller_id)
    if rating is not None:
        rows.update(seller_rating=rating)
    if is_premium is not None:
        # In key order, as all do who lock several offers.
        wrong = rows.exclude(is_premium=is_premium).select_for_update().order_by("pk")
        Listing.objects.filter(pk__in=list(wrong.values_list("pk", flat=True))).update(is_premium=is_premium)
    bump("catalogue", f"seller:{seller_id}")
