"""The catalogue's body, rendered once for everybody who asks the same, kept in this process's memory.

Nothing of a reader is in it but hearts, which are put in last. It lives exactly as long as the catalogue's generation.
"""

import threading
import uuid
from dataclasses import dataclass

from cachetools import LRUCache
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.core.cache import generation
from marketplace.listings import cards, selectors
from marketplace.listings.cards import Card
from marketplace.listings.chips import chips
from marketplace.listings.forms import CatalogueForm

TAGS = ("catalogue", "games")
_CARDS = "<!--cards-->"
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
        return mark_safe(f"{self.before}{middle}{self.after}")  # noqa: S308 - rendered by templates


type Key = tuple[str, str, str, str]


def _size(fragment: Fragment) -> int:
    return (
        len(fragment.before)
        + len(fragment.after)
        + sum(len(c.before) + len(c.after) + 1500 for c in fragment.cards)
    )


_kept: LRUCache[Key, Fragment] = LRUCache(_MAX_CHARACTERS, getsizeof=_size)
_lock = threading.Lock()


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
        "games": selectors.games_with_offers() if part == "main" else (),
        "cards": mark_safe(_CARDS),  # noqa: S308 - our own mark
    }
    template = "listings/_catalogue.html" if part == "main" else f"listings/_catalogue.html#{part}"
    before, _mark, after = render_to_string(template, context, request=request).partition(_CARDS)
    return Fragment(
        before, after, tuple(row.pk for row in shelf.listings), tuple(cards.render(shelf.listings))
    )
