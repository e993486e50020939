"""Finding listings by words: what stands in a title first, then premium, then the newest.

PostgreSQL uses the stored vectors. A word that thousands of listings share must not cost thousands of row visits, so
no more than FETCHED hits are ever fetched by the words' index; what is commoner is met by walking the shelf in order.
SQLite reads the folded columns.
Both fall back on words set right when hardly anything is found (docs/decisions/0002-search.md).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.postgres.lookups import TrigramSimilar
from django.contrib.postgres.search import TrigramSimilarity
from django.db import connection, models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Length

from marketplace.core.search import words as folded_words
from marketplace.listings.models import Listing, SearchWord
from marketplace.listings.search import sound

COUNT_LIMIT = 200
# More hits than this are not sorted: about there, a walk along a shelf of a hundred thousand becomes the cheaper way.
FETCHED = 2000
STRIDE, LONGEST_WALK = 1000, 20_000
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
    _field = cast("models.Field[Any, Any]", Listing._meta.get_field(_name))
    _field.register_lookup(Matches)
cast("models.Field[Any, Any]", SearchWord._meta.get_field("sound")).register_lookup(TrigramSimilar)


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of one page of hits, in order. `count` is exact unless `is_more`: then there are at least that many."""

    keys: list[UUID]
    count: int
    is_more: bool
    corrected: str = ""


def find(listings: QuerySet[Listing], query: str, *, offset: int, size: int) -> Found:
    """One page of the listings that have all words of the query. `listings` carries the other filters.

    One or two queries; with words to set right, two more and one for each such word.
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
    return Found(again.keys, again.count, again.is_more, corrected=" ".join(better))


def matching(listings: QuerySet[Listing], query: str) -> QuerySet[Listing]:
    """The listings that have all words of the query (set right if need be), in no order: for other orderings."""
    words = folded_words(query)
    if not words:
        return listings.none()
    found = _anywhere(listings, words)
    if len(found.values_list("pk")[:FEW]) < FEW:
        better = corrected(words)
        if better != words:
            return _anywhere(listings, better)
    return found


def _anywhere(listings: QuerySet[Listing], words: list[str]) -> QuerySet[Listing]:
    listings, _in_title, anywhere = _conditions(listings, words)
    return listings.filter(anywhere)


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
    """Title hits in shelf order, then the others in shelf order. One or two queries, a few more for common words."""
    listings, in_title, anywhere = _conditions(listings, words)
    wanted, titled = _on_shelf(listings, in_title, offset, size)
    count = titled
    if len(wanted) < size:
        start, missing = max(0, offset - titled), size - len(wanted)
        more, others = _on_shelf(listings, anywhere & ~in_title, start, missing)
        wanted, count = [*wanted, *more], titled + others
    return Found(wanted, min(count, COUNT_LIMIT), is_more=count > COUNT_LIMIT)


def _on_shelf(listings: QuerySet[Listing], hit: Q, offset: int, size: int) -> tuple[list[UUID], int]:
    """The keys of one page of hits in shelf order, and how many hits there are (FETCHED + 1 means: or more).

    The planner does not know which words go together, so its guesses are far off and it is not left to choose: a
    bounded number of hits is taken by the words' own index and sorted here. Where there are more, a walk along the
    shelf meets one every few rows.
    """
    found = list(listings.filter(hit).order_by().values_list("is_premium", "pk")[: FETCHED + 1])
    if len(found) <= FETCHED:
        keys = [pk for _premium, pk in sorted(found, reverse=True)]
        return keys[offset : offset + size], len(keys)
    shelf = listings.order_by(*SHELF).annotate(is_hit=models.ExpressionWrapper(hit, models.BooleanField()))
    keys, passed = [], 0
    while len(keys) < offset + size and passed < LONGEST_WALK:
        rows = list(shelf.values_list("pk", "is_hit")[passed : passed + STRIDE])
        keys += [pk for pk, is_hit in rows if is_hit]
        passed += STRIDE
        if len(rows) < STRIDE:
            break
    return keys[offset : offset + size], FETCHED + 1


def _conditions(listings: QuerySet[Listing], words: list[str]) -> tuple[QuerySet[Listing], Q, Q]:
    """What it is to have all words in the title, and to have them anywhere; the last word may be a beginning."""
    if connection.vendor == "postgresql":
        query = _tsquery(words)
        return listings, Q(search_title__matches=query), Q(search_text__matches=query)
    title = Concat(Value(" "), F("search_title"), output_field=models.TextField())
    text = Concat(
        Value(" "), F("search_title"), Value(" "), F("search_text"), output_field=models.TextField()
    )
    in_title, anywhere = Q(), Q()
    for word in words:
        in_title &= Q(the_title__contains=f" {word}")
        anywhere &= Q(the_text__contains=f" {word}")
    return listings.alias(the_title=title, the_text=text), in_title, anywhere


def _tsquery(words: list[str]) -> str:
    """`conqueror & glac:*`. Folded words hold nothing but letters and digits."""
    last = words[-1]
    return " & ".join([*words[:-1], f"{last}:*" if len(last) >= SHORTEST_PREFIX else last])
