"""Finds the digits of a message: written, spelled out, drawn apart or mixed, as chains of groups.

"to'qson bir, 000 двадцать 3" is one chain of the groups 91, 000, 20 and 3. Any other word ends a chain.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from marketplace.messaging.guard import vocabulary as words
from marketplace.messaging.guard.folding import View

_TOKEN = re.compile(r"[^\W_]+")
_PART = re.compile(r"\d+|[^\W\d_]+")
_DATE = re.compile(
    r"(?<![\d.])(?:(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|1[0-2])\1(?:19|20)\d\d"
    r"|(?:19|20)\d\d([./-])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01]))(?!\d)"
)
_TIME = re.compile(r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])")
_LONGEST_GAP = 6  # characters between two groups of one number, as emoji or punctuation
_NAMED_BEFORE = 3  # words between "order" or "id" and its number


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that stand together. `start` and `end` are places in the view."""

    digits: str
    start: int
    end: int
    plus: bool = False  # "+" or its word stands before it
    is_spoken: bool = False
    is_weak: bool = False  # a letter that is a nought only among other digits
    is_named: bool = False  # called an order, a player id or the like
    is_money: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    groups: list[Group]
    is_cued: bool  # a word such as "call" stands by it


@dataclass(frozen=True, slots=True)
class _Atom:
    """A token as the parser sees it."""

    role: (
        str  # digits, unit, teen, tens, hundreds, hundred, noughts, repeat, weak, between, plus, scale, word
    )
    digits: str
    start: int
    end: int
    token: str


def chains(view: View) -> Iterator[Chain]:
    """Every chain of at least one group, in order."""
    atoms = list(_atoms(view))
    groups: list[Group] = []
    first = index = 0
    while index < len(atoms):
        group, after = _group(view, atoms, index)
        if group is None:
            skips = atoms[index].role in {"between", "plus"} and groups and _group(view, atoms, index + 1)[0]
            if not skips or not _is_soft(view.text[groups[-1].end : atoms[index].start]):
                yield from _chain(atoms, groups, first, index)
                groups = []
            index += 1
            continue
        if groups and not _continues(view, groups[-1], group, atoms[index - 1]):
            yield from _chain(atoms, groups, first, index)
            groups = []
        if not groups:
            first = index
        if after < len(atoms) and atoms[after].role == "scale":
            group = replace(group, is_money=True)
        groups.append(replace(group, is_named=_is_named(view, atoms, index)))
        index = after
    yield from _chain(atoms, groups, first, len(atoms))


def _chain(atoms: list[_Atom], groups: list[Group], first: int, after: int) -> Iterator[Chain]:
    while groups and groups[-1].is_weak:
        groups.pop()
    while groups and groups[0].is_weak:
        groups.pop(0)
    if groups:
        near = atoms[max(0, first - 4) : first] + atoms[after : after + 4]
        yield Chain(groups, any(words.find(atom.token, words.PHONE_CUES) for atom in near))


def _atoms(view: View) -> Iterator[_Atom]:
    calendar = {
        place
        for pattern in (_DATE, _TIME)
        for match in pattern.finditer(view.text)
        for place in range(match.start(), match.end())
    }
    for match in _TOKEN.finditer(view.text):
        token, start, end = match[0], match.start(), match.end()
        if start in calendar:
            yield _Atom("word", "", start, end, token)
        elif token.isdigit():
            yield _Atom("digits", token, start, end, token)
        elif token.isalpha():
            role, digits = _role(token)
            yield _Atom(role, digits, start, end, token)
        else:
            yield from _mixed(token, start, end)


def _mixed(token: str, start: int, end: int) -> Iterator[_Atom]:
    """Figures and letters in one: a disguised word (t0'qson), a disguised number (9O, l2), or both side by side (tel90)."""
    for reading in words.readings(token):
        role, digits = _role(reading)
        if role not in {"word", "weak"}:
            yield _Atom(role, digits, start, end, reading)
            return
    as_digits = token.translate(words.DIGIT_LETTERS)
    if as_digits.isdigit() and not re.fullmatch(r"\d+[bsz]", token):  # 50b, 10s: an amount with its unit
        yield _Atom("digits", as_digits, start, end, token)
        return
    for part in _PART.finditer(token):
        inside = (start + part.start(), start + part.end())
        if part[0].isdigit():
            yield _Atom("digits", part[0], *inside, part[0])
        else:
            role = "scale" if part[0] in words.SCALES else "word"
            yield _Atom(role, "", *inside, part[0])


def _role(token: str) -> tuple[str, str]:
    for role, table in (
        ("unit", words.UNITS),
        ("teen", words.TEENS),
        ("tens", words.TENS),
        ("hundreds", words.HUNDREDS),
        ("repeat", words.REPEAT),
    ):
        if token in table:
            return role, str(table[token])
    for role, known in (
        ("hundred", words.HUNDRED),
        ("noughts", words.NOUGHTS),
        ("plus", words.PLUS),
        ("between", words.BETWEEN),
        ("scale", words.SCALES),
    ):
        if token in known:
            return role, ""
    if token in words.NOUGHT_LETTERS:
        return "weak", "0" * token.count("o")
    return "word", ""


def _group(view: View, atoms: list[_Atom], index: int) -> tuple[Group | None, int]:
    """The group that begins with an atom, and the index behind it."""
    if index >= len(atoms):
        return None, index
    atom = atoms[index]
    plus = "+" in view.text[max(0, atom.start - 3) : atom.start] or (
        index > 0 and atoms[index - 1].role == "plus"
    )
    if atom.role == "digits":
        return Group(atom.digits, atom.start, atom.end, plus=plus), index + 1
    if atom.role == "weak":
        return Group(atom.digits, atom.start, atom.end, is_weak=True), index + 1
    digits, after = _spoken(view, atoms, index)
    if not digits:
        return None, index
    return Group(digits, atom.start, atoms[after - 1].end, plus=plus, is_spoken=True), after


def _spoken(view: View, atoms: list[_Atom], index: int) -> tuple[str, int]:
    """The number that words say: "сто двадцать три" is 123, "bir yuz" is 100, "два ноля" is 00."""

    def role(at: int) -> str:
        """The role of an atom that is said in one breath with the one before it."""
        if at >= len(atoms):
            return ""
        if at > index and view.text[atoms[at - 1].end : atoms[at].start].strip(" -"):
            return ""
        return atoms[at].role

    def value(at: int) -> int:
        return int(atoms[at].digits)

    first = role(index)
    if first == "repeat" and role(index + 1) in {"unit", "noughts"}:
        return (atoms[index + 1].digits or "0") * value(index), index + 2
    if first == "unit" and role(index + 1) == "noughts":
        return "0" * value(index), index + 2
    total, at = 0, index
    if first == "hundreds":
        total, at = value(at), at + 1
    elif first == "hundred":
        total, at = 100, at + 1
    elif first == "unit" and value(at) and role(at + 1) == "hundred":
        total, at = 100 * value(at), at + 2
    elif first == "unit":
        return atoms[at].digits, at + 1
    if at > index and role(at) == "unit":
        return (
            (str(total + value(at)), at + 1) if value(at) and role(at + 1) != "hundred" else (str(total), at)
        )
    if role(at) == "teen":
        return str(total + value(at)), at + 1
    if role(at) == "tens":
        total, at = total + value(at), at + 1
        # "to'qson bir yuz": the unit counts the hundred behind it
        if role(at) == "unit" and value(at) and role(at + 1) != "hundred" and role(at + 1) != "noughts":
            return str(total + value(at)), at + 1
    return (str(total), at) if at > index else ("", index)


def _is_soft(gap: str) -> bool:
    return len(gap) <= _LONGEST_GAP


def _continues(view: View, last: Group, group: Group, before: _Atom) -> bool:
    """Whether a group goes on with the number of the one before it."""
    if last.is_money or group.plus:
        return False
    gap = view.text[last.end : group.start]
    if "#" in gap or "№" in gap or "$" in gap:
        return False
    return before.role in {"between", "plus"} or _is_soft(gap)


def _is_named(view: View, atoms: list[_Atom], index: int) -> bool:
    before = view.text[max(0, atoms[index].start - 2) : atoms[index].start].rstrip()
    if before.endswith(("#", "№", "no")):
        return True
    return any(words.find(atom.token, words.IDS) for atom in atoms[max(0, index - _NAMED_BEFORE) : index])
