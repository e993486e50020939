"""Interest in a listing: hearts and visits. Neither changes what a cached page shows, so nothing is made stale."""

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from marketplace.accounts.models import User
from marketplace.core.cache import bump
from marketplace.listings.errors import ListingNotAvailable
from marketplace.listings.models import Favorite, Listing, ListingView


@transaction.atomic
def toggle_favourite(*, user: User, listing_id: uuid.UUID) -> bool:
    """Add a listing to a person's favourites, or take it away when it is there; whether it is there now.

    Raises ListingNotAvailable for one that is not on sale, unless it is only to be taken away.
    """
    bump(f"favourites:{user.pk}")
    removed, _by_model = Favorite.objects.filter(user=user, listing_id=listing_id).delete()
    if removed:
        Listing.objects.filter(pk=listing_id, favorites_count__gt=0).update(
            favorites_count=F("favorites_count") - 1
        )
        return False
    if not Listing.objects.on_sale().filter(pk=listing_id).exists():
        raise ListingNotAvailable(f"listing {listing_id}")
    try:
        with transaction.atomic():
            Favorite.objects.create(user=user, listing_id=listing_id)
    except IntegrityError:  # the other half of a double click was quicker
        return True
    Listing.objects.filter(pk=listing_id).update(favorites_count=F("favorites_count") + 1)
    return True


@transaction.atomic
def record_view(
    *, listing_id: uuid.UUID, visitor: str, at: datetime, user_id: uuid.UUID | None = None
) -> bool:
    """Count a visit, once per visitor and (UTC) day; the seller's own do not count. Whether it counted.

    `visitor` is a hash that the caller makes (see listings/visits.py): no address is stored.
    """
    view = ListingView(listing_id=listing_id, user_id=user_id, visitor=visitor, day=at.date(), viewed_at=at)
    seen = Listing.objects.on_sale().filter(pk=listing_id)
    if not (seen.exclude(seller_id=user_id) if user_id else seen).exists():
        return False
    ListingView.objects.bulk_create([view], ignore_conflicts=True)
    # Our row is there only if it was the first of the day, and only then does the counter find it.
    return bool(Listing.objects.filter(views__pk=view.pk).update(views_count=F("views_count") + 1))
