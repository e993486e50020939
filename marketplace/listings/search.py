"""What of a listing is searched: one folded Latin spelling of its words, kept in two columns.

`search_title` holds the title, `search_text` everything else that a buyer may type: the game, the description, the
selling points and the facts in all three languages. The same fold is applied to what people type (core/search.py).
"""

import re
from collections.abc import Iterable

from django.utils import translation

from marketplace.core.search import fold
from marketplace.listings.models import Listing, SearchWord

TITLE_LIMIT = 400
TEXT_LIMIT = 8000
WORD_LIMIT = 40
_SHORTEST = 3
_ALIKE = str.maketrans("cqwyxz", "kkvihs")
_DOUBLED = re.compile(r"(.)\1+")


def index(listing: Listing) -> None:
    """Fill the search columns from the other fields. Needs `game` loaded; saves nothing."""
    listing.search_title = fold(listing.title)[:TITLE_LIMIT]
    facts: dict[str, None] = {}
    for language in ("uz", "ru", "en"):
        with translation.override(language):
            facts |= dict.fromkeys(fact.text for fact in listing.facts)
    parts = [listing.game.name, *facts, *listing.features, listing.description]
    listing.search_text = fold(" ".join(str(part) for part in parts))[:TEXT_LIMIT]


def sound(word: str) -> str:
    """A folded word with letters that people mistake for one another made equal, and doubled letters made single."""
    return _DOUBLED.sub(r"\1", word.replace("ph", "f").replace("kh", "h").translate(_ALIKE))


def learn(listings: Iterable[Listing]) -> None:
    """Add the words of titles and games to those that a mistyped word is set right against."""
    words = {
        word
        for listing in listings
        for word in f"{listing.search_title} {fold(listing.game.name)}".split()
        if _SHORTEST <= len(word) <= WORD_LIMIT and not word.isdigit()
    }
    SearchWord.objects.bulk_create(
        [SearchWord(word=word, sound=sound(word)) for word in sorted(words)],
        ignore_conflicts=True,
        batch_size=500,
    )
