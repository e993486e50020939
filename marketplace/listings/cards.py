"""Rendered cards. Nothing of a reader is in them; the heart is put in per reader."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.core.money import format_amount, unit
from marketplace.core.stencil import Stencil
from marketplace.core.templatetags import ui
from marketplace.games import selectors as games
from marketplace.games.models import Game
from marketplace.listings.models import Listing, address, cover_url, discount
from marketplace.listings.tiles import Tile, TileSeller

_HEART = SafeString("<!--heart-->")
# Filled in per card; plain letters, so that neither escaping nor URL quoting changes them.
_TOGGLE, _PAGE, _LABEL = "xToggleAddressx", "xPageAddressx", "xTitlex"
_SLOTS = (
    "cover", "heart", "facts", "page", "title", "price", "unit", "old_price", "discount", "avatar", "seller", "rating",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """One card's markup around its heart, and what the heart says: the title (escaped) and the listing's address."""

    before: str
    after: str
    label: str
    page: str
    toggle: str

    def html(self, heart: str) -> str:
        heart = heart.replace(_TOGGLE, self.toggle).replace(_PAGE, self.page).replace(_LABEL, self.label)
        return f"{self.before}{heart}{self.after}"


class _Shape(NamedTuple):
    """What the card's template decides by."""

    status: str
    plan: str
    is_premium: bool
    is_verified: bool
    is_reduced: bool


def render(tiles: Iterable[Tile]) -> list[Card]:
    """Cards in order, in the reader's language."""
    rows, language = list(tiles), get_language() or ""
    directory = games.by_ids(tile.game_id for tile in rows)
    return [_card(tile, directory[tile.game_id], language) for tile in rows]


def joined(
    cards: Iterable[Card], ids: Iterable[uuid.UUID], *, marked: Collection[uuid.UUID] | None
) -> SafeString:
    """The cards as one text; `marked` are the reader's favourites, None for a visitor."""
    visitor, off, on = _hearts(get_language() or "")
    pairs = zip(cards, ids, strict=True)
    if marked is None:
        return mark_safe("".join(card.html(visitor) for card, _pk in pairs))  # noqa: S308 - rendered by templates  # nosec B308, B703
    return mark_safe("".join(card.html(on if pk in marked else off) for card, pk in pairs))  # noqa: S308  # nosec B308, B703


@lru_cache(maxsize=8)
def _hearts(_language: str) -> tuple[str, str, str]:
    """The heart of a visitor, one that is off and one that is on, in the reader's language, with marks to fill in."""
    common = {"url": _TOGGLE, "listing_url": _PAGE, "label": _LABEL, "listing_id": ""}
    states = (
        {"signed_in": False, "on": False},
        {"signed_in": True, "on": False},
        {"signed_in": True, "on": True},
    )
    visitor, off, on = (render_to_string("components/heart.html", common | state) for state in states)
    return visitor, off, on


def _card(tile: Tile, game: Game, language: str) -> Card:
    seller, page = tile.seller, address(tile.pk)
    shape = _Shape(
        status=tile.status,
        plan=seller.plan,
        is_premium=tile.is_premium,
        is_verified=seller.is_verified,
        is_reduced=bool(tile.original_price),
    )
    html = _stencil(shape, language).fill(
        {
            "cover": cover_url(tile.pk, tile.cover, game.slug),
            "heart": _HEART,
            "facts": game.schema.card_facts(tile.attributes) or game.name,
            "page": page,
            "title": tile.title,
            "price": format_amount(tile.price),
            "unit": unit(tile.currency),
            "old_price": format_amount(tile.original_price or 0),
            "discount": str(discount(tile.price, tile.original_price)),
            **_seller(seller, language),
        }
    )
    before, _mark, after = html.partition(_HEART)
    return Card(before, after, escape(tile.title), page, address(tile.pk, "listings:favourite"))


@lru_cache(maxsize=4096)
def _seller(seller: TileSeller, _language: str) -> dict[str, str]:
    """A seller's part of the card: there are far fewer of them than of offers. Shared, read it only."""
    return {
        "avatar": ui.avatar(seller, "xs", ring=False),
        "seller": seller.display_name,
        "rating": ui.rating(seller.rating),
    }


@lru_cache(maxsize=1024)
def _stencil(shape: _Shape, _language: str) -> Stencil:
    """The card's markup of one shape, in the language that is active now."""
    label = Listing.Status(shape.status).label
    return Stencil.of("listings/_card.html", {**shape._asdict(), "status_label": label}, _SLOTS)
