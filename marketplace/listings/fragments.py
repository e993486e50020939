"""The catalogue's body, rendered once for everybody who asks the same, kept in this process's memory.

Nothing of a reader is in it but hearts, which are put in last. It lives exactly as long as the catalogue's generation.
"""

import threading
import uuid
from dataclasses import dataclass

from cachetools import LRUCache
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.core.cache import generation
from marketplace.listings import cards, selectors
from marketplace.listings.cards import Card
from marketplace.listings.chips import chips
from marketplace.listings.forms import CatalogueForm

TAGS = ("catalogue", "games")
_CARDS = "<!--cards-->"
_TYPED = "typed-3f9c1e70"
_MAX_CHARACTERS = 24_000_000
_LONGEST_QUERY = 500


@dataclass(frozen=True, slots=True)
class Fragment:
    """Markup around the cards, and the cards."""

    before: str
    after: str
    ids: tuple[uuid.UUID, ...]
    cards: tuple[Card, ...]

    def html(self, request: HttpRequest) -> SafeString:
        """The whole, with this reader's hearts: one query for who is signed in, none for a visitor."""
        user = request.user
        marked = selectors.favourite_ids(user, self.ids) if user.is_authenticated else None
        middle = cards.joined(self.cards, self.ids, marked=marked)
        return mark_safe(f"{self.before}{middle}{self.after}")  # noqa: S308 - rendered by templates  # nosec B308, B703


type Key = tuple[str, str, str, str]


def _size(fragment: Fragment) -> int:
    return (
        len(fragment.before)
        + len(fragment.after)
        + sum(len(c.before) + len(c.after) + 1500 for c in fragment.cards)
    )


_kept: LRUCache[Key, Fragment] = LRUCache(_MAX_CHARACTERS, getsizeof=_size)
_heads: LRUCache[tuple[str, str, str], str] = LRUCache(_MAX_CHARACTERS // 4, getsizeof=len)
_lock = threading.Lock()


def forget_all() -> None:
    """Empty this process's memory (tests and benchmarks do)."""
    with _lock:
        _kept.clear()
        _heads.clear()


def catalogue(request: HttpRequest, *, part: str) -> Fragment:
    """The catalogue for this query string: the page's "main", or what htmx asked for ("results", "more")."""
    query = request.META.get("QUERY_STRING", "")
    key = (generation(*TAGS), query, get_language() or "", part)
    with _lock:
        kept = _kept.get(key)
    if kept is None:
        kept = _render(request, part)
        if len(query) <= _LONGEST_QUERY:
            with _lock:
                _kept[key] = kept
    return kept


def _render(request: HttpRequest, part: str) -> Fragment:
    form = CatalogueForm(request.GET)
    shelf = selectors.catalogue(form.filters)
    context = {
        "form": form,
        "filters": form.filters,
        "shelf": shelf,
        "chips": chips(form),
        "cards": mark_safe(_CARDS),  # noqa: S308 - our own mark  # nosec B308, B703
        # For its query string. What context processors bring is a reader's, and has no place here.
        "request": request,
    }
    name = "more" if part == "more" else "results"
    html = render_to_string(f"listings/_catalogue.html#{name}", context)
    before, _mark, after = html.partition(_CARDS)
    if part == "main":
        before, after = _head(form) + before, after + "</div>"
    ids = tuple(tile.pk for tile in shelf.tiles)
    return Fragment(before, after, ids, tuple(cards.render(shelf.tiles)))


def _head(form: CatalogueForm) -> str:
    """The heading and the filters. A search never asked before shares them with all searches: its words go in last."""
    shared = form.asked.copy()
    for name in ("q", "search", "page"):
        shared.pop(name, None)
    query = shared.urlencode()
    key = (generation(*TAGS), query, get_language() or "")
    with _lock:
        html = _heads.get(key)
    if html is None:
        context = {
            "form": form,
            "filters": form.filters,
            "games": selectors.games_with_offers(),
            "typed": _TYPED,
        }
        html = render_to_string("listings/_catalogue.html#head", context)
        if len(query) <= _LONGEST_QUERY:
            with _lock:
                _heads[key] = html
    return html.replace(_TYPED, escape(form.filters.query))
