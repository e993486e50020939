"""What the windows show: shelves of cards with the reader's hearts, and an offer with all that surrounds it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Count, Q
from django.utils.safestring import SafeString

from marketplace.accounts.models import User
from marketplace.escrow import selectors as escrow
from marketplace.escrow.models import EscrowTransaction
from marketplace.games import selectors as games
from marketplace.games.models import Game
from marketplace.games.schema import described
from marketplace.listings import cards
from marketplace.listings import selectors as listings
from marketplace.listings.models import Listing, ListingImage
from marketplace.listings.selectors import Filters
from marketplace.listings.tiles import Tile

NEWEST = "-created_at"
SUMMARY_LENGTH = 160
SOLD_SHOWN = 6
# A seller's habits are read off their last hundred trades, and three at least.
TRADES_JUDGED, TRADES_THAT_TELL = 100, 3


@dataclass(frozen=True, slots=True)
class Rules:
    """The waits of a trade as people read them, in minutes and hours."""

    payment_minutes: int
    hand_over_hours: int
    check_hours: int
    release_hours: int


def rules() -> Rules:
    """The waits that hold today, from the settings."""
    hour = 3600
    return Rules(
        payment_minutes=int(settings.ESCROW_PAYMENT_WINDOW.total_seconds() // 60),
        hand_over_hours=int(settings.ESCROW_HAND_OVER_WINDOW.total_seconds() // hour),
        check_hours=int(settings.ESCROW_ACCEPT_WINDOW.total_seconds() // hour),
        release_hours=int(settings.ESCROW_RELEASE_DELAY.total_seconds() // hour),
    )


def shelves(viewer: Any, *rows: Sequence[Tile]) -> list[SafeString]:
    """Each row of offers as ready cards. One query finds this viewer's hearts in all of them, none for a visitor."""
    marked = _marked(viewer, [tile.pk for row in rows for tile in row])
    return [_shelf(row, marked) for row in rows]


def _marked(viewer: Any, ids: Iterable[uuid.UUID]) -> set[uuid.UUID] | None:
    return listings.favourite_ids(viewer, ids) if viewer.is_authenticated else None


def _shelf(row: Sequence[Tile], marked: set[uuid.UUID] | None) -> SafeString:
    return cards.joined(cards.render(row), [tile.pk for tile in row], marked=marked)


@dataclass(frozen=True, slots=True)
class Home:
    """`games` come with the number of their offers; the shelves are ready cards, empty where there is nothing."""

    games: list[tuple[Game, int]]
    games_count: int
    newest: SafeString
    premium: SafeString


def home(viewer: Any) -> Home:
    """The front page: the games with most offers, what was approved last, premium offers. Three queries."""
    newest, premium = shelves(
        viewer,
        listings.cards(most=8, ordering=NEWEST),
        listings.cards(most=4, is_premium=True, ordering=NEWEST),
    )
    return Home(games.popular(most=8), len(games.directory()), newest, premium)


@dataclass(frozen=True, slots=True)
class Offer:
    """One listing as its page shows it to one viewer. `photo` is None for an offer without pictures."""

    listing: Listing
    photos: list[ListingImage]
    photo: ListingImage | None
    number: int
    is_own: bool
    is_favourite: bool
    trade: EscrowTransaction | None
    similar: SafeString

    @property
    def may_be_bought(self) -> bool:
        return self.listing.is_on_sale and not self.is_own

    @property
    def is_public(self) -> bool:
        return self.listing.status in {Listing.Status.ACTIVE, Listing.Status.RESERVED, Listing.Status.SOLD}

    @property
    def summary(self) -> str:
        """Plain text for search engines and link previews."""
        known = described(self.listing.facts)
        text = (
            f"{self.listing.game.name}. {known}"
            if known
            else f"{self.listing.game.name}. {self.listing.description}"
        )
        return text if len(text) <= SUMMARY_LENGTH else text[: SUMMARY_LENGTH - 1].rstrip() + "…"

    @property
    def address(self) -> str:
        """The page's one address, with the host."""
        return urljoin(settings.SITE_URL, self.listing.get_absolute_url())

    @property
    def picture(self) -> str:
        """The picture for link previews, with the host; "" where only a drawn cover could be shown."""
        return urljoin(settings.SITE_URL, self.photos[0].image.url) if self.photos else ""


def offer(listing_id: uuid.UUID, *, viewer: Any, photo: int = 1) -> Offer | None:
    """A listing this viewer may see, with its picture number `photo` chosen; None for all others.

    At most five queries: the listing, its pictures, similar offers, hearts, and the viewer's own running trade of it.
    """
    listing = listings.listing_for_page(listing_id, viewer)
    if listing is None:
        return None
    _with_game(listing)
    photos = list(listing.images.all())
    number = min(max(photo, 1), len(photos)) if photos else 0
    similar = listings.cards(most=4, game=listing.game, but=listing.pk)
    marked = _marked(viewer, [listing.pk, *(tile.pk for tile in similar)])
    reserved = listing.status == Listing.Status.RESERVED
    return Offer(
        listing=listing,
        photos=photos,
        photo=photos[number - 1] if photos else None,
        number=number,
        is_own=viewer.is_authenticated and viewer.pk == listing.seller_id,
        is_favourite=marked is not None and listing.pk in marked,
        trade=escrow.open_trade_on(listing.pk, viewer) if reserved and viewer.is_authenticated else None,
        similar=_shelf(similar, marked),
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """A seller's offers: one page of them as ready cards. `count` is exact unless `is_more`."""

    game: Game | None
    cards: SafeString
    count: int
    is_more: bool
    next_page: int | None


def counter(seller: User, *, viewer: Any, game: Game | None = None, page: int = 1) -> Counter:
    """What this seller has on sale, of one game or of all, the newest first. Three queries."""
    shelf = listings.catalogue(Filters(seller=seller, game=game, ordering=NEWEST, page=page))
    (ready,) = shelves(viewer, shelf.tiles)
    return Counter(game, ready, shelf.count, shelf.is_more, page + 1 if shelf.has_next else None)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of how somebody sells.

    `games` are those they have offers of now. `in_time` is how many of a hundred paid trades they handed over before
    the deadline, `hand_over` how long that usually took; both are None until enough trades tell.
    """

    games: list[tuple[Game, int]]
    offers: int
    sold: list[Listing]
    in_time: int | None
    hand_over: timedelta | None


def record(seller: User) -> Record:
    """Three queries: offers by game, the last sales, the last trades."""
    counts = (
        Listing.objects.on_sale().filter(seller=seller).order_by().values_list("game").annotate(Count("pk"))
    )
    known = [(game, number) for game_id, number in counts if (game := games.by_id(game_id))]
    known.sort(key=lambda pair: (-pair[1], pair[0].name))
    sold = Listing.objects.filter(seller=seller, status=Listing.Status.SOLD).order_by("-sold_at")[:SOLD_SHOWN]
    trades = EscrowTransaction.objects.filter(seller=seller, paid_at__isnull=False)
    # A trade that still waits for its login tells nothing yet.
    told = trades.filter(
        Q(handed_over_at__isnull=False) | Q(ending=EscrowTransaction.Ending.SELLER_SILENT)
    ).order_by("-pk")
    rows = told.values_list("paid_at", "handed_over_at")[:TRADES_JUDGED]
    waits = sorted(handed_over - paid for paid, handed_over in rows if paid and handed_over)
    tells = len(rows) >= TRADES_THAT_TELL
    return Record(
        games=known,
        offers=sum(number for _game, number in known),
        sold=[_with_game(listing) for listing in sold],
        in_time=len(waits) * 100 // len(rows) if tells else None,
        hand_over=waits[len(waits) // 2] if tells and waits else None,
    )


def _with_game(listing: Listing) -> Listing:
    """The directory's game is one object for all, with its schema parsed once."""
    listing.game = games.by_id(listing.game_id) or listing.game
    return listing


def neighbourhood(listing_id: uuid.UUID) -> tuple[str, ...]:
    """The cache tags of an offer's seller and game; none for an offer that is not there."""
    rows = Listing.objects.filter(pk=listing_id).values_list("seller_id", "game_id")
    return tuple(tag for seller, game in rows for tag in (f"seller:{seller}", f"game:{game}"))
