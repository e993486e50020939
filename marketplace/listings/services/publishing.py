"""A seller's own steps: write an offer, change it, take it back, put it up again, delete it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from marketplace.accounts.deletion import must_stay
from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.money import Currency, Minor
from marketplace.games.models import Game
from marketplace.listings import pictures as files
from marketplace.listings import search
from marketplace.listings.errors import (
    CredentialsMissing,
    ListingChanged,
    ListingNotAvailable,
    ListingNotEditable,
    TooManyListings,
    TooManyPictures,
)
from marketplace.listings.facts import ListingSubmitted, ListingWithdrawn, PriceChanged
from marketplace.listings.models import Credentials, Listing, ListingImage
from marketplace.listings.pictures import Renditions
from marketplace.listings.services.common import changed, locked, queue_changed, stale

Status = Listing.Status

PICTURES_MAX: int = settings.LISTING_IMAGES_MAX
# Nobody reviews more of one person at a time, and nobody writes more by hand.
WAITING_MAX = 100


@dataclass(frozen=True, slots=True)
class Content:
    """What buyers read. Prices in minor units; `attributes` as the game's schema collects them."""

    game: Game
    title: str
    description: str
    price: Minor
    original_price: Minor | None
    attributes: dict[str, object]
    features: list[str]
    login_method: str = Listing.LoginMethod.EMAIL
    currency: str = Currency.UZS


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What goes into the vault. Empty texts leave what is there."""

    account_email: str = ""
    account_password: str = ""
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.account_email or self.account_password or self.note)


@sensitive_variables("secrets")
def submit(
    *, seller: User, content: Content, secrets: Secrets, pictures: Sequence[Renditions] = ()
) -> Listing:
    """Write an offer and send it to review.

    Raises CredentialsMissing without log-in details, TooManyPictures, TooManyListings.
    """
    return _create(seller, content, secrets, pictures, send=True)


@sensitive_variables("secrets")
def save_draft(
    *, seller: User, content: Content, secrets: Secrets | None = None, pictures: Sequence[Renditions] = ()
) -> Listing:
    """Keep an unfinished offer that only its seller sees. Raises TooManyPictures, TooManyListings."""
    return _create(seller, content, secrets or Secrets(), pictures, send=False)


@sensitive_variables("secrets")
def _create(
    seller: User, content: Content, secrets: Secrets, pictures: Sequence[Renditions], *, send: bool
) -> Listing:
    must_stay(seller)
    if len(pictures) > PICTURES_MAX:
        raise TooManyPictures(f"{len(pictures)} pictures")
    with files.stored(pictures) as images, transaction.atomic():
        waiting = Listing.objects.of(seller).filter(status__in=[Status.DRAFT, Status.PENDING])
        if waiting.count() >= WAITING_MAX:
            raise TooManyListings(f"seller {seller.pk}")
        listing = Listing(seller=seller, seller_rating=seller.rating or 0, is_premium=seller.is_premium)
        _write(listing, content)
        listing.save(force_insert=True)
        _fill_vault(listing, secrets)
        _arrange(listing, images, first=None)
        search.learn([listing])
        if send:
            _send_to_review(listing)
        changed(listing, "status", "submitted_at", "cover")
    return listing


@sensitive_variables("secrets")
def edit(
    *,
    listing_id: uuid.UUID,
    seller: User,
    version: int,
    content: Content,
    secrets: Secrets | None = None,
    pictures: Sequence[Renditions] = (),
    removed: Collection[uuid.UUID] = (),
    first: uuid.UUID | None = None,
    send: bool = True,
) -> Listing:
    """Change an offer.

    An offer on sale stays there when only its price changed; any other change sends it to review again. A draft, or
    one that was withdrawn, is sent to review when `send` is true and kept as it stands otherwise.
    `version` is the one that the form was filled from; `removed` and `first` name pictures of this offer.

    Raises ListingNotEditable (being bought, sold, rejected, blocked), ListingChanged (somebody was quicker), CredentialsMissing,
    TooManyPictures, ListingNotAvailable when it is not the seller's.
    """
    with files.stored(pictures) as images, transaction.atomic():
        listing = _own(listing_id, seller)
        if not listing.is_editable:
            raise ListingNotEditable(f"listing {listing_id} is {listing.status}")
        if listing.version != version:
            raise ListingChanged(f"listing {listing_id} is at {listing.version}, the form at {version}")
        old_price = listing.price
        text_changed = _write(listing, content)
        arranged = _change_pictures(listing, images, removed, first)
        needs_review = bool(secrets) or text_changed or arranged
        if secrets:
            _fill_vault(listing, secrets)
        if text_changed:
            search.learn([listing])
        if listing.status == Status.ACTIVE and needs_review:
            _send_to_review(listing)
        elif listing.status in {Status.DRAFT, Status.ARCHIVED}:
            if send:
                _send_to_review(listing)
            elif needs_review:
                listing.approved_at = None  # what was once approved is not what stands here now
        listing.version += 1
        listing.save()
        stale(listing)
        if listing.price != old_price:
            announce(
                PriceChanged(listing_id=listing.pk, seller_id=seller.pk, old=old_price, new=listing.price)
            )
    return listing


@transaction.atomic
def withdraw(*, listing_id: uuid.UUID, seller: User) -> Listing:
    """Take an offer off sale, or back from review. Doing it twice changes nothing.

    Raises ListingNotEditable when it is being bought, sold, blocked, or was never sent anywhere.
    """
    listing = _own(listing_id, seller)
    if listing.status == Status.ARCHIVED:
        return listing
    if listing.status not in {Status.ACTIVE, Status.PENDING}:
        raise ListingNotEditable(f"listing {listing_id} is {listing.status}")
    listing.status = Status.ARCHIVED
    changed(listing, "status")
    queue_changed()
    announce(ListingWithdrawn(listing_id=listing.pk, seller_id=seller.pk))
    return listing


@transaction.atomic
def withdraw_all(seller_id: uuid.UUID) -> None:
    """Take everything of a seller who was switched off out of the window and the queue. Open trades keep running."""
    # A trade that is just coming to nothing puts its offer back on sale: wait for it.
    moving = [Status.ACTIVE, Status.PENDING, Status.RESERVED]
    rows = Listing.objects.of(seller_id).filter(status__in=moving).select_for_update().order_by("pk")
    for listing in rows:
        if listing.status == Status.RESERVED:
            continue
        listing.status = Status.ARCHIVED
        changed(listing, "status")
        announce(ListingWithdrawn(listing_id=listing.pk, seller_id=seller_id))


@transaction.atomic
def relist(*, listing_id: uuid.UUID, seller: User) -> Listing:
    """Put a withdrawn offer up again: on sale at once when it stands as it was approved, else through review.

    Raises ListingNotEditable unless it was withdrawn.
    """
    listing = _own(listing_id, seller)
    if listing.status in {Status.ACTIVE, Status.PENDING}:
        return listing
    if listing.status != Status.ARCHIVED:
        raise ListingNotEditable(f"listing {listing_id} is {listing.status}")
    must_stay(listing.seller)
    if listing.approved_at:
        listing.status = Status.ACTIVE
    else:
        _send_to_review(listing)
    changed(listing, "status", "submitted_at", "approved_at")
    return listing


@transaction.atomic
def delete(*, listing_id: uuid.UUID, seller: User) -> None:
    """Take an offer away for good; its row stays for the books. Deleting twice changes nothing.

    Raises ListingNotEditable while it is being bought and after it was sold.
    """
    listing = locked(listing_id)
    if listing is None or listing.seller_id != seller.pk:
        raise ListingNotAvailable(f"listing {listing_id} is not of {seller.pk}")
    if listing.deleted_at:
        return
    if listing.status in {Status.RESERVED, Status.SOLD}:
        raise ListingNotEditable(f"listing {listing_id} is {listing.status}")
    listing.deleted_at = timezone.now()
    changed(listing, "deleted_at")
    queue_changed()
    # The house does not keep what it no longer needs.
    Credentials.objects.filter(listing=listing).delete()


def _own(listing_id: uuid.UUID, seller: User) -> Listing:
    listing = locked(listing_id)
    if listing is None or listing.deleted_at or listing.seller_id != seller.pk:
        raise ListingNotAvailable(f"listing {listing_id} is not of {seller.pk}")
    return listing


def _write(listing: Listing, content: Content) -> bool:
    """Copy the content into the row; whether anything but the prices is different now."""
    fields = ("title", "description", "attributes", "features", "login_method")
    before = [listing.game_id, *(getattr(listing, name) for name in fields)]
    listing.game = content.game
    for name in (*fields, "price", "original_price", "currency"):
        setattr(listing, name, getattr(content, name))
    search.index(listing)
    return before != [listing.game_id, *(getattr(listing, name) for name in fields)]


def _send_to_review(listing: Listing) -> None:
    must_stay(listing.seller)
    vault = Credentials.objects.filter(listing=listing).first()
    if vault is None or not vault.account_email or not vault.account_password:
        raise CredentialsMissing(f"listing {listing.pk}")
    listing.status = Status.PENDING
    queue_changed()
    listing.submitted_at = timezone.now()
    listing.approved_at = None
    announce(ListingSubmitted(listing_id=listing.pk, seller_id=listing.seller_id))


@sensitive_variables("secrets", "vault")
def _fill_vault(listing: Listing, secrets: Secrets) -> None:
    if not secrets:
        return
    vault = Credentials.objects.select_for_update().filter(listing=listing).first() or Credentials(
        listing=listing
    )
    vault.account_email = secrets.account_email or vault.account_email
    vault.account_password = secrets.account_password or vault.account_password
    if secrets.note:
        info: Any = vault.additional_info
        vault.additional_info = {**info, "note": secrets.note}
    vault.save()


def _change_pictures(
    listing: Listing, new: Sequence[ListingImage], removed: Collection[uuid.UUID], first: uuid.UUID | None
) -> bool:
    """Remove, add and order pictures; whether anything changed."""
    current = list(listing.images.all())
    gone = [image for image in current if image.pk in removed]
    kept = [image for image in current if image.pk not in removed]
    if len(kept) + len(new) > PICTURES_MAX:
        raise TooManyPictures(f"{len(kept)} + {len(new)} pictures")
    chosen = next((image.pk for image in kept if image.pk == first), None)
    moves = chosen is not None and bool(kept) and kept[0].pk != chosen
    if not (gone or new or moves):
        return False
    files.discard_on_commit(gone)
    listing.images.filter(pk__in=[image.pk for image in gone]).delete()
    _arrange(listing, [*kept, *new], first=chosen)
    return True


def _arrange(listing: Listing, images: Sequence[ListingImage], *, first: uuid.UUID | None) -> None:
    """Save pictures in order, the chosen one first, and note the first one's card on the listing."""
    ordered = sorted(images, key=lambda image: image.pk != first)
    listing.images.filter(is_primary=True).update(is_primary=False)
    for number, image in enumerate(ordered):
        image.listing, image.sort_order, image.is_primary = listing, number, number == 0
        image.save()
    listing.cover = ordered[0].card.name or "" if ordered else ""
