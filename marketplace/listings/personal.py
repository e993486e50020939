"""What listings know of a person (see `accounts.traces`)."""

import uuid
from collections.abc import Iterator

from django.db.models import PROTECT, Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import File, Leaver, Part, Row, Share
from marketplace.core.money import to_decimal
from marketplace.listings.models import Credentials, Favorite, Listing, ListingImage, ListingView
from marketplace.listings.services.common import stale


def _listings(user: User) -> Iterator[Row]:
    rows = Listing.objects.filter(seller=user).select_related("game").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        yield {
            "id": row.pk,
            "game": row.game.name,
            "title": row.title,
            "description": row.description,
            "price": str(to_decimal(row.price)),
            "original_price": None if row.original_price is None else str(to_decimal(row.original_price)),
            "currency": row.currency,
            "status": row.status,
            "attributes": row.attributes,
            "features": row.features,
            "login_method": row.login_method,
            "views": row.views_count,
            "favourites": row.favorites_count,
            "rejection_reason": row.rejection_reason,
            "created_at": row.created_at,
            "submitted_at": row.submitted_at,
            "approved_at": row.approved_at,
            "sold_at": row.sold_at,
            "deleted_at": row.deleted_at,
        }


def _pictures(user: User) -> Iterator[File]:
    rows = ListingImage.objects.filter(listing__seller=user).order_by("listing_id", "sort_order", "pk")
    for row in rows.iterator(chunk_size=500):
        kind = str(row.image.name).rpartition(".")[2]
        yield File(
            f"{row.listing_id}-{row.sort_order + 1}-{row.pk.hex[-4:]}.{kind}",
            row.image.storage,
            str(row.image.name),
        )


def _favourites(user: User) -> Iterator[Row]:
    rows = Favorite.objects.filter(user=user).order_by("pk")
    yield from rows.values("listing_id", "listing__title", "created_at").iterator(chunk_size=500)


def _visits(user: User) -> Iterator[Row]:
    rows = ListingView.objects.filter(user=user).order_by("pk")
    yield from rows.values("listing_id", "listing__title", "viewed_at").iterator(chunk_size=500)


# --- Forgetting -------------------------------------------------------------------------------------


def _forget(leaver: Leaver) -> None:
    """Offers that no trade and no conversation is about go; of the others the books keep title, price and facts."""
    mine = Listing.objects.filter(seller=leaver.user)
    _take_pictures(leaver)
    Credentials.objects.filter(listing__in=mine).delete()
    for listing in mine.exclude(pk__in=_needed(mine)).select_for_update(of=("self",)).order_by("pk"):
        stale(listing)
        listing.delete()
    mine.update(
        description="", features=[], cover="", search_title="", search_text="", updated_at=timezone.now()
    )
    mine.filter(deleted_at__isnull=True).update(deleted_at=timezone.now())
    marked = Favorite.objects.filter(user=leaver.user)
    Listing.objects.filter(
        pk__in=list(marked.values_list("listing_id", flat=True)), favorites_count__gt=0
    ).update(favorites_count=F("favorites_count") - 1)
    marked.delete()
    ListingView.objects.filter(user=leaver.user).update(user=None)


def _take_pictures(leaver: Leaver) -> None:
    pictures = ListingImage.objects.filter(listing__seller=leaver.user)
    for row in pictures:
        leaver.discard([row.image.name, row.card.name, row.thumb.name])
    pictures.delete()


def _needed(listings: QuerySet[Listing]) -> list[uuid.UUID]:
    """The keys of those that a row of any app holds on to."""
    needed: list[uuid.UUID] = []
    for relation in Listing._meta.related_objects:
        if relation.on_delete is PROTECT:
            holds = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            needed += listings.filter(Exists(holds)).values_list("pk", flat=True)
    return needed


SHARE = Share(
    app="listings",
    parts=(
        Part(
            "listings",
            _("What you offered for sale, with its pictures."),
            ("listings.Listing",),
            _listings,
            _pictures,
        ),
        Part("favourites", _("Offers you marked with a heart."), ("listings.Favorite",), _favourites),
        Part("visits", _("Offers you looked at while signed in."), ("listings.ListingView",), _visits),
    ),
    forget=_forget,
)
