"""Rendered cards, kept in the shared cache. Nothing of a reader is in them; the heart is put in per reader."""

import hashlib
import threading
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from cachetools import LRUCache
from django.core.cache import cache
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.games import selectors as games
from marketplace.listings.models import Listing

_HEART = "<!--heart-->"
_KEEP = 24 * 3600
# Raise it when a template of the card changes its markup: cards rendered before a deploy are then left behind.
_MARKUP = 1
# A key says all that its card shows, so this process may keep cards too and spare itself unpacking them.
_near: LRUCache[str, tuple[str, str, str, str, str]] = LRUCache(3000)
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Card:
    """One card's markup around its heart, and the heart in its three states."""

    before: str
    after: str
    visitor: str
    off: str
    on: str

    def html(self, *, is_visitor: bool, is_favourite: bool) -> str:
        heart = self.visitor if is_visitor else (self.on if is_favourite else self.off)
        return f"{self.before}{heart}{self.after}"


def render(listings: Sequence[Listing]) -> list[Card]:
    """Cards in order, in the reader's language: out of the cache in one round trip, the missing ones rendered."""
    language = get_language() or ""
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
    pairs = zip(cards, ids, strict=True)
    if marked is None:
        return mark_safe("".join(card.html(is_visitor=True, is_favourite=False) for card, _pk in pairs))  # noqa: S308
    return mark_safe("".join(card.html(is_visitor=False, is_favourite=pk in marked) for card, pk in pairs))  # noqa: S308


def _key(listing: Listing, language: str) -> str:
    """Made of all that a card shows, so that a card never outlives a change, whoever made it."""
    seller = listing.seller
    game = games.by_id(listing.game_id) or listing.game
    shown = (
        _MARKUP, listing.pk, listing.version, listing.status, listing.is_premium, listing.cover, seller.display_name,
        seller.plan, seller.is_verified, seller.rating, seller.avatar.name, game.updated_at, language,
    )  # fmt: skip
    return "card:" + hashlib.blake2s(repr(shown).encode(), digest_size=16).hexdigest()


def _card(listing: Listing) -> tuple[str, str, str, str, str]:
    # The directory's game is one object for all cards, with its schema parsed once.
    listing.game = games.by_id(listing.game_id) or listing.game
    html = render_to_string("listings/_card.html", {"listing": listing, "heart": mark_safe(_HEART)})  # noqa: S308
    before, _mark, after = html.partition(_HEART)
    return before, after, _heart(listing, is_visitor=True), _heart(listing), _heart(listing, is_on=True)


def _heart(listing: Listing, *, is_visitor: bool = False, is_on: bool = False) -> str:
    context = {
        "signed_in": not is_visitor,
        "url": reverse("listings:favourite", args=[listing.pk]),
        "listing_url": listing.get_absolute_url(),
        "on": is_on,
        "label": listing.title,
        "listing_id": listing.pk,
    }
    return render_to_string("components/heart.html", context)
