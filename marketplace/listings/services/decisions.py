"""A moderator's decisions about listings, and the one that the house takes by itself."""

import logging
import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.listings.errors import ListingNotModeratable, OwnListing
from marketplace.listings.facts import (
    ListingApproved,
    ListingBlocked,
    ListingChangesAsked,
    ListingRejected,
)
from marketplace.listings.models import Listing
from marketplace.listings.services.common import changed, locked, queue_changed
from marketplace.notifications.services import notify

logger = logging.getLogger(__name__)

Status = Listing.Status
REASON_LENGTH = 1000
BATCH = 200


@transaction.atomic
def approve(*, listing_id: uuid.UUID, moderator: User) -> Listing:
    """Publish an offer and tell its seller. Approving twice changes nothing.

    Raises ListingNotModeratable unless it waits, OwnListing for the moderator's own.
    """
    listing = _to_decide(listing_id, moderator)
    if listing.status == Status.ACTIVE:
        return listing
    _must_be(listing, Status.PENDING)
    if not listing.seller.is_active or listing.seller.is_leaving:
        raise ListingNotModeratable(f"the seller of listing {listing_id} is switched off")
    return _publish(listing, moderator, timezone.now())


@transaction.atomic
def ask_for_changes(*, listing_id: uuid.UUID, moderator: User, reason: str) -> Listing:
    """Give an offer back to its seller as a draft, with what to change; sent again, it waits again.

    Raises ListingNotModeratable unless it waits, OwnListing for the moderator's own, ValueError without a reason.
    """
    listing = _to_decide(listing_id, moderator)
    _must_be(listing, Status.PENDING)
    listing.status = Status.DRAFT
    edit = reverse("listings:edit", args=[listing.pk])
    return _decide(listing, moderator, reason, ListingChangesAsked, kind="listing_changes_asked", url=edit)


@transaction.atomic
def reject(*, listing_id: uuid.UUID, moderator: User, reason: str) -> Listing:
    """Refuse an offer for good and tell its seller the reason.

    Raises ListingNotModeratable unless it waits, OwnListing for the moderator's own, ValueError without a reason.
    """
    listing = _to_decide(listing_id, moderator)
    _must_be(listing, Status.PENDING)
    listing.status, listing.rejected_at = Status.REJECTED, timezone.now()
    mine = reverse("listings:mine")
    return _decide(
        listing, moderator, reason, ListingRejected, "rejected_at", kind="listing_rejected", url=mine
    )


@transaction.atomic
def block(*, listing_id: uuid.UUID, moderator: User, reason: str) -> Listing:
    """Take an offer off sale against its seller's will, with the reason. Blocking twice changes nothing.

    Raises ListingNotModeratable while a trade is open on it or after it was sold (the dispute desk decides those), and
    ValueError without a reason.
    """
    listing = _to_decide(listing_id, moderator)
    if listing.status == Status.BLOCKED:
        return listing
    _must_be(listing, Status.PENDING, Status.ACTIVE, Status.REJECTED, Status.ARCHIVED)
    listing.status = Status.BLOCKED
    mine = reverse("listings:mine")
    return _decide(listing, moderator, reason, ListingBlocked, kind="listing_blocked", url=mine)


def auto_approve(*, at: datetime) -> int:
    """Publish what waited too long, of sellers with a clean record; how many. Safe to run twice at once.

    Clean: at least one sale, nothing ever rejected, nothing blocked. What a moderator gave back waits for a moderator.
    Source: requirements, CONTRA-26.
    """
    theirs = Listing.objects.filter(seller=OuterRef("seller"))
    waiting = Listing.objects.alive().filter(
        Exists(theirs.filter(status=Status.SOLD)),
        ~Exists(theirs.filter(Q(rejected_at__isnull=False) | Q(status=Status.BLOCKED))),
        status=Status.PENDING,
        rejection_reason="",
        submitted_at__lte=at - settings.MODERATION_AUTO_APPROVE_AFTER,
        seller__is_active=True,
        seller__deletion_due_at__isnull=True,
    )
    approved = 0
    for listing_id in waiting.order_by("submitted_at").values_list("pk", flat=True)[:BATCH]:
        with transaction.atomic():
            listing = locked(listing_id)
            if listing and listing.status == Status.PENDING and not listing.deleted_at:
                _publish(listing, None, at)
                approved += 1
                logger.info(
                    "listing %s approved by the system after waiting since %s",
                    listing_id,
                    listing.submitted_at,
                )
    return approved


def _to_decide(listing_id: uuid.UUID, moderator: User) -> Listing:
    listing = locked(listing_id)
    if listing is None or listing.deleted_at:
        raise ListingNotModeratable(f"listing {listing_id} is gone")
    if listing.seller_id == moderator.pk:
        raise OwnListing(f"moderator {moderator.pk} decides about listing {listing_id}")
    return listing


def _must_be(listing: Listing, *statuses: Status) -> None:
    if listing.status not in statuses:
        raise ListingNotModeratable(f"listing {listing.pk} is {listing.status}")


def _publish(listing: Listing, moderator: User | None, at: datetime) -> Listing:
    listing.status, listing.rejection_reason = Status.ACTIVE, ""
    listing.moderated_by, listing.moderated_at, listing.approved_at = moderator, at, at
    changed(listing, "status", "moderated_by", "moderated_at", "approved_at", "rejection_reason")
    queue_changed()
    _tell(listing, "listing_approved", url=listing.get_absolute_url())
    announce(
        ListingApproved(
            listing_id=listing.pk,
            seller_id=listing.seller_id,
            moderator_id=moderator.pk if moderator else None,
        )
    )
    return listing


def _decide(
    listing: Listing,
    moderator: User,
    reason: str,
    fact: type[ListingChangesAsked | ListingRejected | ListingBlocked],
    *fields: str,
    kind: str,
    url: str,
) -> Listing:
    """Save a decision against a seller with its reason, tell them, and announce it."""
    listing.rejection_reason = reason.strip()[:REASON_LENGTH]
    if not listing.rejection_reason:
        raise ValueError("a decision against a seller needs a reason")
    listing.moderated_by, listing.moderated_at = moderator, timezone.now()
    changed(listing, "status", "moderated_by", "moderated_at", "rejection_reason", *fields)
    queue_changed()
    _tell(listing, kind, url=url, reason=listing.rejection_reason)
    announce(
        fact(
            listing_id=listing.pk,
            seller_id=listing.seller_id,
            moderator_id=moderator.pk,
            reason=listing.rejection_reason,
        )
    )
    return listing


def _tell(listing: Listing, kind: str, *, url: str, **context: str) -> None:
    notify(user=listing.seller, kind=kind, context={"title": listing.title, **context}, action_url=url)
