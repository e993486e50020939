"""Reads: what waits for a moderator."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Replace

from marketplace.accounts.models import User
from marketplace.accounts.selectors import is_staff_with, staff_with
from marketplace.escrow.models import EscrowTransaction
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


def live_stamp(viewer: Any, _key: str) -> str | None:
    """How many wait, for the stream of a moderator's page; None for anybody else."""
    return (
        str(waiting())
        if viewer.is_authenticated and is_staff_with(viewer, "listings.moderate_listing")
        else None
    )


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


def trades(*, number: str = "") -> QuerySet[EscrowTransaction]:
    """Trades for whoever may refund them: the disputed ones, the oldest first, or those whose number is asked for."""
    found = EscrowTransaction.objects.select_related("listing", "buyer", "seller")
    if number:
        return found.filter(pk__in=_by_number(number)).order_by("-pk")
    return found.filter(status=EscrowTransaction.Status.DISPUTED).order_by("updated_at", "pk")


def _by_number(text: str) -> list[UUID]:
    """The trades whose number people read out as this: the last eight signs of the key, or the whole of it."""
    signs = re.sub(r"[^0-9a-f]", "", text.lower())
    if len(signs) == 32:
        return [UUID(signs)]
    if len(signs) != 8:
        return []
    keys = EscrowTransaction.objects.annotate(text=Replace(Cast("pk", CharField()), Value("-"), Value("")))
    return list(keys.filter(text__endswith=signs).values_list("pk", flat=True)[:20])


def trade(trade_id: UUID) -> EscrowTransaction | None:
    """One trade, with its disputes and refunds."""
    found = EscrowTransaction.objects.select_related("listing", "buyer", "seller")
    return found.prefetch_related("disputes__opened_by", "refunds__actor").filter(pk=trade_id).first()
