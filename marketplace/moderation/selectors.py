"""Reads: what waits for a moderator."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from marketplace.accounts.models import User
from marketplace.accounts.selectors import staff_with
from marketplace.listings.models import Listing


def queue() -> QuerySet[Listing]:
    """Listings that wait, the one that has waited longest first, each with game, seller and pictures."""
    return (
        Listing.objects.alive()
        .filter(status=Listing.Status.PENDING)
        .select_related("game", "seller")
        .prefetch_related("images")
        .order_by("submitted_at", "pk")
    )


def waiting() -> int:
    return Listing.objects.alive().filter(status=Listing.Status.PENDING).count()


def overdue(*, at: datetime) -> int:
    """How many have waited longer than we promise."""
    late = at - settings.MODERATION_TARGET
    return Listing.objects.alive().filter(status=Listing.Status.PENDING, submitted_at__lt=late).count()


def record_of(seller: Any) -> dict[str, int]:
    """What speaks for and against a seller: how many of their listings ended how."""
    statuses = Listing.objects.filter(seller=seller).values_list("status", flat=True)
    counts = dict.fromkeys(("active", "sold", "rejected", "blocked"), 0)
    for status in statuses:
        if status in counts:
            counts[status] += 1
    return counts


def moderators() -> QuerySet[User]:
    """Everybody who may decide about listings."""
    return staff_with("listings", "moderate_listing")
