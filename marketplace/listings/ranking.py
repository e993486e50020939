"""Finding listings by words: what stands in a title first, then premium, then the newest.

PostgreSQL uses the stored vectors. A word that thousands of listings share must not cost thousands of row visits:
the shelf index is in the wanted order already and meets such a word every few rows, while a rare word is quickest by
its own index. So a page is asked for in shelf order with a limit, which leaves that choice to the planner's statistics
of words, and no count goes further than COUNT_LIMIT. SQLite reads the folded columns.
Both fall back on words set right when hardly anything is found (docs/decisions/0002-search.md).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.postgres.lookups import TrigramSimilar
from django.contrib.postgres.search import TrigramSimilarity
from django.db import connection, models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Length

from marketplace.core.search import words as folded_words
from marketplace.listings.models import Listing, SearchWord
from marketplace.listings.search import sound

COUNT_LIMIT = 200
FEW = 3
# A prefix of two letters begins hundreds of words, each with its own list of rows.
SHORTEST_PREFIX = 3
SHORTEST_MISTAKE = 4
LIKE_ENOUGH = 0.7
SHELF = ("-is_premium", "-id")


class Matches(models.Lookup):
    """`search_title__matches="a & b:*"`: the stored vector of the title matches; PostgreSQL only.

    On `search_text` it is the vector of title and text together.
    """

    lookup_name = "matches"
    prepare_rhs = False
    vectors = {"search_title": "title_vector", "search_text": "search_vector"}

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002
        table, column = compiler.quote_name(self.lhs.alias), self.vectors[self.lhs.target.name]
        return f"{table}.\"{column}\" @@ to_tsquery('simple'::regconfig, %s)", (self.rhs,)


for _name in Matches.vectors:
    cast("models.Field[Any, Any]", Listing._meta.get_field(_name)).register_lookup(Matches)
cast("models.Field[Any, Any]", SearchWord._meta.get_field("sound")).register_lookup(TrigramSimilar)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of hits, in order. `count` is exact unless `is_more`: then there are at least that many."""

    listings: list[Listing]
    count: int
    is_more: bool
    corrected: str = ""


def find(listings: QuerySet[Listing], query: str, *, offset: int, size: int) -> Found:
    """One page of the listings that have all words of the query. `listings` carries the other filters and the joins.

    Two or three queries; with words to set right, three more and one for each such word.
    """
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
    return Found(again.listings, again.count, again.is_more, corrected=" ".join(better))


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
    if len(heard) < SHORTEST_MISTAKE:
        return word
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
    """Title hits in shelf order, then the others in shelf order."""
    in_title, anywhere = _bands(listings, words)
    page = list(in_title.order_by(*SHELF)[offset : offset + size])
    if len(page) == size:
        return _counted(page, in_title)
    # Few titles, so all their keys are at hand: on the first page they are the page itself.
    titled = (
        [row.pk for row in page] if offset == 0 else list(in_title.order_by().values_list("pk", flat=True))
    )
    start = max(0, offset - len(titled))
    rest = anywhere.exclude(pk__in=titled).order_by(*SHELF)[start : start + size - len(page)]
    page += rest
    if offset == 0 and len(page) < size:
        return Found(page, len(page), is_more=False)
    return _counted(page, anywhere)


def _counted(page: list[Listing], hits: QuerySet[Listing]) -> Found:
    count = hits.order_by()[: COUNT_LIMIT + 1].count()
    return Found(page, min(count, COUNT_LIMIT), is_more=count > COUNT_LIMIT)


def _bands(listings: QuerySet[Listing], words: list[str]) -> tuple[QuerySet[Listing], QuerySet[Listing]]:
    """Listings with all words in the title, and those with all words anywhere. The last word may be a beginning."""
    if connection.vendor == "postgresql":
        query = _tsquery(words)
        return listings.filter(search_title__matches=query), listings.filter(search_text__matches=query)
    title = Concat(Value(" "), F("search_title"), output_field=models.TextField())
    text = Concat(
        Value(" "), F("search_title"), Value(" "), F("search_text"), output_field=models.TextField()
    )
    in_title, anywhere = Q(), Q()
    for word in words:
        in_title &= Q(the_title__contains=f" {word}")
        anywhere &= Q(the_text__contains=f" {word}")
    return listings.alias(the_title=title).filter(in_title), listings.alias(the_text=text).filter(anywhere)


def _tsquery(words: list[str]) -> str:
    """`conqueror & glac:*`. Folded words hold nothing but letters and digits."""
    last = words[-1]
    return " & ".join([*words[:-1], f"{last}:*" if len(last) >= SHORTEST_PREFIX else last])
