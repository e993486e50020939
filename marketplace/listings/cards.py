"""Rendered cards, kept in the shared cache. Nothing of a reader is in them; the heart is put in per reader."""

import hashlib
import threading
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cachetools import LRUCache
from django.core.cache import cache
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.games import selectors as games
from marketplace.listings.models import Listing

_HEART = "<!--heart-->"
# Filled in per card; plain letters, so that neither escaping nor URL quoting changes them.
_TOGGLE, _PAGE, _LABEL = "xToggleAddressx", "xPageAddressx", "xTitlex"
_KEEP = 24 * 3600
# Raise it when a template of the card changes its markup: cards rendered before a deploy are then left behind.
_MARKUP = 3
# A key says all that its card shows, so this process may keep cards too and spare itself unpacking them.
_near: LRUCache[str, tuple[str, str, str, str, str]] = LRUCache(3000)
_lock = threading.Lock()


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


def render(listings: Sequence[Listing]) -> list[Card]:
    """Cards in order, in the reader's language: out of the cache in one round trip, the missing ones rendered."""
    language = get_language() or ""
    directory = games.by_ids()
    for listing in listings:
        # The directory's game is one object for all cards, with its schema parsed once.
        listing.game = directory.get(listing.game_id) or listing.game
    keys = [_key(listing, language) for listing in listings]
    with _lock:
        near = {key: _near[key] for key in keys if key in _near}
    kept = near | cache.get_many([key for key in keys if key not in near]) if len(near) < len(keys) else near
    made = {}
    for key, listing in zip(keys, listings, strict=True):
        if key not in kept:
            kept[key] = made[key] = _card(listing)
    if made:
        cache.set_many(made, _KEEP)
    with _lock:
        _near.update({key: kept[key] for key in keys})
    return [Card(*kept[key]) for key in keys]


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


def _key(listing: Listing, language: str) -> str:
    """Made of all that a card shows, so that a card never outlives a change, whoever made it."""
    seller = listing.seller
    shown = (
        _MARKUP, listing.pk, listing.version, listing.status, listing.is_premium, listing.cover, seller.display_name,
        seller.plan, seller.is_verified, seller.rating, seller.avatar.name, listing.game.updated_at, language,
    )  # fmt: skip
    return "card:" + hashlib.blake2s(repr(shown).encode(), digest_size=16).hexdigest()


def _card(listing: Listing) -> tuple[str, str, str, str, str]:
    html = render_to_string("listings/_card.html", {"listing": listing, "heart": mark_safe(_HEART)})  # noqa: S308  # nosec B308, B703
    before, _mark, after = html.partition(_HEART)
    toggle = reverse("listings:favourite", args=[listing.pk])
    return before, after, str(escape(listing.title)), listing.get_absolute_url(), toggle
