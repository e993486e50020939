"""Reads about listings."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet

from marketplace.accounts.models import User
from marketplace.core.cache import generation, remembered
from marketplace.core.money import Minor
from marketplace.games import selectors as games
from marketplace.games.models import Game
from marketplace.listings import ranking
from marketplace.listings.models import Credentials, Favorite, Listing, ListingQuerySet
from marketplace.listings.tiles import Tile, in_order, tiles

# Seen by everybody; the rest by the seller and by moderators.
_PUBLIC = frozenset({Listing.Status.ACTIVE, Listing.Status.RESERVED, Listing.Status.SOLD})
_FOLLOWED = ("status", "price", "currency", "version", "seller")

PAGE_SIZE = 24
# Of who marked more, each page asks anew.
FAVOURITES_REMEMBERED = 500
# Nobody pages further than this; whoever wants more narrows the filters.
MAX_PAGE = 40
COUNT_LIMIT = 1000

RELEVANCE = ""
ORDERINGS: dict[str, tuple[str, ...]] = {
    RELEVANCE: ("-is_premium", "-id"),
    "-created_at": ("-id",),
    "price": ("price", "id"),
    "-price": ("-price", "-id"),
    "-views_count": ("-views_count", "-id"),
    "-rating": ("-seller_rating", "-id"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a visitor asked the catalogue for, checked. Prices in minor units; `attributes` is a condition."""

    query: str = ""
    game: Game | None = None
    min_price: Minor | None = None
    max_price: Minor | None = None
    is_premium: bool = False
    has_images: bool = False
    seller: User | None = None
    rating: Decimal | None = None
    attributes: Q = field(default_factory=Q)
    ordering: str = RELEVANCE
    page: int = 1


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of the catalogue. `count` is exact unless `is_more`; `corrected` is what was searched instead."""

    tiles: list[Tile]
    page: int
    has_next: bool
    count: int
    is_more: bool = False
    corrected: str = ""

    @property
    def next_page(self) -> int:
        return self.page + 1


def catalogue(filters: Filters) -> Shelf:
    """What is on sale and matches, one page of it, each with its seller.

    Two queries: the page and a count that stops at COUNT_LIMIT; with words, at most seven.
    """
    rows: QuerySet[Listing] = _filtered(filters)
    offset = (filters.page - 1) * PAGE_SIZE
    if filters.query and filters.ordering == RELEVANCE:
        found = ranking.find(rows, filters.query, offset=offset, size=PAGE_SIZE + 1)
        has_next = len(found.keys) > PAGE_SIZE and filters.page < MAX_PAGE
        page = in_order(found.keys[:PAGE_SIZE])
        return Shelf(page, filters.page, has_next, found.count, found.is_more, found.corrected)
    if filters.query:
        rows = ranking.matching(rows, filters.query)
    page = tiles(rows.order_by(*ORDERINGS[filters.ordering])[offset : offset + PAGE_SIZE + 1])
    has_next = len(page) > PAGE_SIZE and filters.page < MAX_PAGE
    count, is_more = _bounded_count(rows)
    return Shelf(page[:PAGE_SIZE], filters.page, has_next, count, is_more)


def _filtered(filters: Filters) -> ListingQuerySet:
    rows = Listing.objects.on_sale().filter(filters.attributes)
    if filters.game:
        rows = rows.filter(game=filters.game)
    if filters.seller:
        rows = rows.filter(seller=filters.seller)
    if filters.min_price is not None:
        rows = rows.filter(price__gte=filters.min_price)
    if filters.max_price is not None:
        rows = rows.filter(price__lte=filters.max_price)
    if filters.is_premium:
        rows = rows.filter(is_premium=True)
    if filters.has_images:
        rows = rows.with_pictures()
    if filters.rating is not None:
        rows = rows.filter(seller_rating__gte=filters.rating)
    return rows


def _bounded_count(rows: QuerySet[Listing]) -> tuple[int, bool]:
    count = rows.order_by()[: COUNT_LIMIT + 1].count()
    return min(count, COUNT_LIMIT), count > COUNT_LIMIT


def offer_counts() -> Mapping[uuid.UUID, int]:
    """How many offers each game has on sale, by game id; kept until the catalogue changes, at most for five minutes."""
    key = f"offer-counts:{generation('catalogue')}"
    counts: dict[uuid.UUID, int] | None = cache.get(key)
    if counts is None:
        rows = Listing.objects.on_sale().values_list("game").annotate(number=Count("pk")).order_by()
        counts = dict(rows)
        cache.set(key, counts, 300)
    return counts


def games_with_offers() -> list[tuple[Game, int]]:
    """Every active game with its number of offers on sale, in display order."""
    counts = offer_counts()
    return [(game, counts.get(game.pk, 0)) for game in games.directory()]


def cards(
    *,
    most: int,
    game: Game | None = None,
    seller: User | None = None,
    but: uuid.UUID | None = None,
    is_premium: bool = False,
    ordering: str = RELEVANCE,
) -> list[Tile]:
    """The first few on sale: the shelves of other pages. One query."""
    rows = _filtered(Filters(game=game, seller=seller, is_premium=is_premium))
    rows = rows.exclude(pk=but) if but else rows
    return tiles(rows.order_by(*ORDERINGS[ordering])[:most])


def listing_for_page(listing_id: uuid.UUID, viewer: object = None) -> Listing | None:
    """A listing with its seller, game and pictures (`images.all()`), in two queries.

    What is on sale, being bought or sold is for everybody; the rest is for its seller and for moderators.
    """
    listing = Listing.objects.alive().with_card().prefetch_related("images").filter(pk=listing_id).first()
    if listing is None:
        return None
    if listing.status in _PUBLIC:
        return listing
    is_theirs = isinstance(viewer, User) and (
        viewer.pk == listing.seller_id or viewer.has_perm("listings.moderate_listing")
    )
    return listing if is_theirs else None


def public_tiles(keys: Iterable[uuid.UUID]) -> list[Tile]:
    """The cards of these offers, as far as everybody may see them."""
    return tiles(Listing.objects.alive().filter(pk__in=list(keys), status__in=_PUBLIC))


def listing_to_follow(listing_id: str, viewer: object) -> Listing | None:
    """The few fields that live updates are about, of a listing whose page this viewer may see; the seller sees all of theirs."""
    try:
        listing = Listing.objects.alive().filter(pk=listing_id).only(*_FOLLOWED).first()
    except (ValueError, ValidationError):  # no key at all
        return None
    if listing is None or listing.status in _PUBLIC:
        return listing
    is_theirs = isinstance(viewer, User) and (
        viewer.pk == listing.seller_id or viewer.has_perm("listings.moderate_listing")
    )
    return listing if is_theirs else None


def live_stamp(viewer: object, listing_id: str) -> str | None:
    """The version of a listing for the stream of its page; None for what this viewer may not see."""
    listing = listing_to_follow(listing_id, viewer)
    return str(listing.version) if listing else None


def listing_for_purchase(listing_id: uuid.UUID) -> Listing | None:
    """A listing that is on sale or in a trade, with its seller and game; None for one that was never published."""
    seen = [Listing.Status.ACTIVE, Listing.Status.RESERVED, Listing.Status.SOLD]
    return Listing.objects.alive().with_card().filter(pk=listing_id, status__in=seen).first()


def own(seller: User, *, statuses: Iterable[str] = ()) -> QuerySet[Listing]:
    """A seller's own listings, the newest first, with their games."""
    rows = Listing.objects.of(seller).with_card().order_by("-id")
    return rows.filter(status__in=statuses) if statuses else rows


def own_counts(seller: User) -> dict[str, int]:
    """How many listings a seller has in each status."""
    rows = Listing.objects.of(seller).order_by().values_list("status").annotate(number=Count("pk"))
    return dict(rows)


def has_vault(listing: Listing) -> bool:
    """Whether log-in details are stored for it. They themselves are not read."""
    return Credentials.objects.filter(pk=listing.pk).exists()


def favourites(user: User) -> QuerySet[Listing]:
    """What a person marked, the latest first; also what is sold by now."""
    return Listing.objects.alive().filter(favorites__user=user).order_by("-favorites__created_at")


def favourite_ids(user: User, listing_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these listings a person has marked. No query while their marks are remembered, else one or two."""
    marked = Favorite.objects.filter(user=user).values_list("listing_id", flat=True)
    wanted = list(listing_ids)
    newest = remembered(
        f"favourites:{user.pk}",
        f"favourites:{user.pk}",
        compute=lambda: set(marked.order_by("-pk")[: FAVOURITES_REMEMBERED + 1]),
    )
    if len(newest) <= FAVOURITES_REMEMBERED:
        return newest.intersection(wanted)
    return set(marked.filter(listing__in=wanted))
