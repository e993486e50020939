"""Finding listings by words: what stands in a title first, then premium, then the newest.

PostgreSQL uses the stored vector and its GIN index. A word that thousands of listings share must not cost thousands
of row visits, so a band with more than BOUND hits is not sorted: its page is read off the shelf index, which is in
the wanted order already and meets such a word every few rows. SQLite reads the folded columns.
Both fall back on words set right when hardly anything is found (docs/decisions/0002-search.md).
"""

from __future__ import annotations

import difflib
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.lookups import TrigramSimilar
from django.contrib.postgres.search import TrigramSimilarity
from django.db import connection, models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Length

from marketplace.core.search import words as folded_words
from marketplace.listings.models import Listing, SearchWord
from marketplace.listings.search import sound

BOUND = 500
FEW = 3
# A prefix of two letters begins hundreds of words, each with its own list of rows.
SHORTEST_PREFIX = 3
SHORTEST_MISTAKE = 4
LIKE_ENOUGH = 0.66
SHELF = ("-is_premium", "-id")


class Matches(models.Lookup):
    """`search_title__matches="tsquery"`: the row's stored vector matches. PostgreSQL only."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[str]]:  # noqa: ARG002
        table = compiler.quote_name_unless_alias(self.lhs.alias)
        return f"{table}.\"search_vector\" @@ to_tsquery('simple'::regconfig, %s)", [self.rhs]


Listing._meta.get_field("search_title").register_lookup(Matches)
SearchWord._meta.get_field("sound").register_lookup(TrigramSimilar)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of hits, in order. `count` is exact unless `is_more`: then there are at least that many."""

    ids: list[uuid.UUID]
    count: int
    is_more: bool
    corrected: str = ""


def find(listings: QuerySet[Listing], query: str, *, offset: int, size: int) -> Found:
    """The keys of one page of listings that have all words of the query. `listings` carries the other filters."""
    words = folded_words(query)
    if not words:
        return Found([], 0, is_more=False)
    found = _find(listings, words, offset, size)
    if found.count >= FEW:
        return found
    better = corrected(words)
    if better == words:
        return found
    again = _find(listings, better, offset, size)
    if again.count <= found.count:
        return found
    return Found(again.ids, again.count, again.is_more, corrected=" ".join(better))


def matching(listings: QuerySet[Listing], query: str) -> QuerySet[Listing]:
    """The listings that have all words of the query (set right if need be), in no order: for other orderings."""
    words = folded_words(query)
    if not words:
        return listings.none()
    found = _bands(listings, words)[1]
    if len(found.values_list("pk")[:FEW]) < FEW:
        better = corrected(words)
        if better != words:
            return _bands(listings, better)[1]
    return found


def corrected(words: list[str]) -> list[str]:
    """The words, each unknown one replaced by the known one that sounds most like it, if one is like enough."""
    last = words[-1]
    known = set(
        SearchWord.objects.filter(Q(word__in=words) | Q(word__gte=last, word__lt=last + "{")).values_list(
            "word", flat=True
        )[:50]
    )
    if any(word.startswith(last) for word in known):
        known.add(last)
    is_fine = {word: word in known or len(word) < SHORTEST_MISTAKE or word.isdigit() for word in words}
    return [word if is_fine[word] else _nearest(word) for word in words]


def _nearest(word: str) -> str:
    heard = sound(word)
    near = SearchWord.objects.all()
    if connection.vendor == "postgresql":
        near = near.filter(sound__trigram_similar=heard).order_by(TrigramSimilarity("sound", heard).desc())[
            :20
        ]
    else:
        spread = range(len(heard) - 2, len(heard) + 3)
        near = near.alias(length=Length("sound")).filter(sound__startswith=heard[:1], length__in=spread)[
            :1000
        ]
    pairs = [(difflib.SequenceMatcher(None, heard, other.sound).ratio(), other.word) for other in near]
    best = max(pairs, default=(0.0, word))
    return best[1] if best[0] >= LIKE_ENOUGH else word


def _find(listings: QuerySet[Listing], words: list[str], offset: int, size: int) -> Found:
    """Title hits, then the others: sorted here when they are few, read in shelf order when they are many."""
    in_title, anywhere, is_in_title = _bands(listings, words)
    hits = _keys(anywhere.annotate(band=is_in_title), "band", BOUND)
    if len(hits) <= BOUND:
        ids = [pk for _band, _premium, pk in sorted(hits, reverse=True)]
        return Found(ids[offset : offset + size], len(hits), is_more=False)

    first = sorted(_keys(in_title, "is_premium", BOUND), reverse=True)
    if len(first) > BOUND:
        ids = list(in_title.order_by(*SHELF).values_list("pk", flat=True)[offset : offset + size])
        return Found(ids, BOUND, is_more=True)
    ids = [key[-1] for key in first[offset : offset + size]]
    if len(ids) < size:
        start = max(0, offset - len(first))
        rest = anywhere.exclude(pk__in=[key[-1] for key in first]).order_by(*SHELF)
        ids += rest.values_list("pk", flat=True)[start : start + size - len(ids)]
    return Found(ids, BOUND, is_more=True)


def _keys(listings: QuerySet[Listing], band: str, bound: int) -> list[tuple[bool, bool, uuid.UUID]]:
    """(band, premium, key) of all hits, or of some bound + 1 of them, in no order."""
    return list(listings.order_by().values_list(band, "is_premium", "pk")[: bound + 1])


def _bands(listings: QuerySet[Listing], words: list[str]) -> tuple[QuerySet[Listing], QuerySet[Listing], Q]:
    """Listings with all words in the title, those with all words anywhere, and the condition that tells them apart.

    The last word may be a beginning.
    """
    if connection.vendor == "postgresql":
        title, text = (
            Q(search_title__matches=_tsquery(words, "A")),
            Q(search_title__matches=_tsquery(words, "")),
        )
        return listings.filter(title), listings.filter(text), title
    rows = listings.alias(
        the_title=Concat(Value(" "), F("search_title"), output_field=models.TextField()),
        the_text=Concat(
            Value(" "), F("search_title"), Value(" "), F("search_text"), output_field=models.TextField()
        ),
    )
    title, text = Q(), Q()
    for word in words:
        title &= Q(the_title__contains=f" {word}")
        text &= Q(the_text__contains=f" {word}")
    return rows.filter(title), rows.filter(text), title


def _tsquery(words: list[str], weight: str) -> str:
    """`conqueror:A & glac:*A`. Folded words hold nothing but letters and digits."""
    parts = []
    for number, word in enumerate(words, start=1):
        mark = "*" if number == len(words) and len(word) >= SHORTEST_PREFIX else ""
        parts.append(f"{word}:{mark}{weight}".rstrip(":"))
    return " & ".join(parts)


def in_order(listings: QuerySet[Listing], ids: list[uuid.UUID]) -> list[Listing]:
    """The listings of these keys, in the keys' order."""
    rows = {listing.pk: listing for listing in listings.filter(pk__in=ids)}
    return [rows[pk] for pk in ids if pk in rows]
