"""Sees through the ways of writing: many letters that look like one become that one, and each keeps its place.

All rules read a `View`, never the text itself, and the words they look for go through the same folding. So a word
written half in Cyrillic and half in Latin, in full-width or mathematical letters, with invisible characters or with
accents on top is the same word.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# One Cyrillic letter to one Latin: those which look alike in small or in capital letters. Uzbek letters with a tail are
# also written without it, so қ ғ ҳ go where к г х go.
_LOOK_ALIKES = str.maketrans(
    "авекмнорстухіјѕԁһӏԛԝғқҳіʟɑɡαορνικτυ",
    "abekmhopctyxijsdhlqwгkxilagaopvikty",
)
_APOSTROPHES = frozenset("'`´‘’ʻʼʹ′‵ʽʾʿ＇")
# Letters and marks that print nothing, beside the categories Cf, Mn and Me.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_REGIONAL_A = 0x1F1E6


@dataclass(frozen=True, slots=True)
class View:
    """Folded text; character i of it stands for the characters `starts[i]` to `ends[i]` of what was written."""

    text: str
    starts: list[int]
    ends: list[int]
    written: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place of text[start:end], which is not empty, in what was written."""
        return self.starts[start], self.ends[end - 1]

    def as_written(self, start: int, end: int) -> str:
        first, last = self.span(start, end)
        return self.written[first:last]


def fold(written: str) -> View:
    """One pass over the text; an apostrophe between letters (to'qson, can't) leaves no trace."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, char in enumerate(written):
        shape = _shape(char)
        if not shape:
            if ends and unicodedata.category(char) in {"Mn", "Me"}:
                ends[-1] = index + 1  # an accent or a keycap belongs to the character it stands on
            continue
        if (
            char in _APOSTROPHES
            and chars
            and chars[-1].isalnum()
            and written[index + 1 : index + 2].isalpha()
        ):
            continue
        for part in shape:
            chars.append(part)
            starts.append(index)
            ends.append(index + 1)
    return View("".join(chars), starts, ends, written)


@lru_cache(maxsize=4096)
def _shape(char: str) -> str:
    """What a character is folded to; nothing for one that prints nothing."""
    if char in _BLANK:
        return ""
    code = ord(char)
    if _REGIONAL_A <= code < _REGIONAL_A + 26:
        return chr(code - _REGIONAL_A + ord("a"))
    folded = []
    for part in unicodedata.normalize("NFKD", char).lower():
        category = unicodedata.category(part)
        if category in {"Cf", "Mn", "Me"}:
            continue
        if category == "Cc" or category.startswith("Z"):
            folded.append("\n" if part == "\n" else " ")
        elif category == "Nd":
            folded.append(str(unicodedata.decimal(part)))
        elif category == "Pd":
            folded.append("-")
        else:
            folded.append(part.translate(_LOOK_ALIKES))
    # Some signs unfold to a whole phrase: they are written for the phrase, not to hide a name.
    return "".join(folded) if len(folded) <= 4 else "?"


def folded(word: str) -> str:
    """A word of a rule's vocabulary, as a View shows it."""
    return fold(word).text


_STRUNG_OUT = re.compile(
    r"(?<!\S)\S(?:[ ]\S(?!\S)){2,}"  # t . m e / a z i z
    r"|(?<![^\W_])[^\W_](?P<by>[-._*|~])[^\W_](?![^\W_])(?:(?P=by)[^\W_](?![^\W_])){2,}"  # T-E-L-E-G-R-A-M
)


def drawn_together(view: View) -> View | None:
    """The view with words whose letters stand apart written as words; None if there are none."""
    keep = [True] * len(view.text)
    found = False
    for run in _STRUNG_OUT.finditer(view.text):
        found = True
        apart = run["by"] or " "
        # The characters of a run stand on every second place.
        for index in range(run.start() + 1, run.end(), 2):
            if view.text[index] == apart:
                keep[index] = False
    if not found:
        return None
    kept = [index for index, stays in enumerate(keep) if stays]
    return View(
        "".join(view.text[index] for index in kept),
        [view.starts[index] for index in kept],
        [view.ends[index] for index in kept],
        view.written,
    )
