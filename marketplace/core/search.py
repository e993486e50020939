"""One spelling for words that people write in several: Cyrillic and Latin Uzbek, Russian, English."""

import re
import unicodedata

# Uzbek Cyrillic to the Latin alphabet of 1995 (Cabinet of Ministers' resolution), with Russian's extra letters as people
# transliterate them. Apostrophes fall away afterwards, so that oʻ, o' and ў all become o.
_LATIN = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "j", "з": "z", "и": "i", "й": "y",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
        "х": "x", "ц": "s", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "yu", "я": "ya",
        "ў": "o", "қ": "q", "ғ": "g", "ҳ": "h", "ө": "o", "ү": "u", "ә": "a", "і": "i", "ң": "n", "ұ": "u", "һ": "h",
    }
)  # fmt: skip
_APOSTROPHES = re.compile("['`´ʻʼ‘’ʹ′]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """Lower case, without accents and apostrophes, in Latin letters, words parted by single spaces."""
    text = text.lower().translate(_LATIN)
    text = unicodedata.normalize("NFKD", text)
    text = _APOSTROPHES.sub("", "".join(sign for sign in text if not unicodedata.combining(sign)))
    return _NOT_WORD.sub(" ", text).strip()


def words(text: str, *, most: int = 8) -> list[str]:
    """The folded words of a query, each once, at most so many."""
    return list(dict.fromkeys(fold(text).split()))[:most]
