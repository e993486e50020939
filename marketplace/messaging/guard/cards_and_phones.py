"""Phone and card numbers among the chains of digits of a message."""

from collections.abc import Iterator

from marketplace.messaging.guard.folding import View
from marketplace.messaging.guard.kinds import Kind
from marketplace.messaging.guard.numerals import Chain, Group, chains
from marketplace.messaging.guard.vocabulary import words

type Spot = tuple[Kind, int, int]  # places in the view

# Codes of Uzbek operators and of the cities, without the country's 998.
_UZ_CODES = words("33 50 55 61 62 65 66 67 69 70 71 72 73 74 75 76 77 78 79 87 88 90 91 93 94 95 97 98 99")
_RARE_UZ_CODES = frozenset({"20"})  # also how most years begin
_LONGEST = 19  # digits of a card; a phone number has at most 15

# How people part a number. Among other numbers only these are believed; alone a number may be parted anyhow.
_PHONE_GROUPS = {
    9: {(9,), (2, 7), (2, 3, 4), (2, 3, 2, 2), (2, 2, 2, 3), (2, 1, 2, 2, 2), (1,) * 9},
    10: {(10,), (3, 7), (3, 3, 4), (3, 3, 2, 2), (1,) * 10},
    11: {(11,), (1, 10), (1, 3, 7), (1, 3, 3, 4), (1, 3, 3, 2, 2), (1,) * 11},
    12: {(12,), (3, 9), (3, 2, 7), (3, 2, 3, 4), (3, 2, 3, 2, 2), (5, 7), (5, 3, 2, 2), (5, 3, 4), (1,) * 12},
}
_CARD_GROUPS = {
    15: {(15,), (4, 6, 5), (1,) * 15},
    16: {(16,), (4, 4, 4, 4), (8, 8), (4, 12), (2,) * 8, (1,) * 16},
    19: {(19,), (4, 4, 4, 4, 3), (6, 13), (1,) * 19},
}


def cards_and_phones(view: View) -> Iterator[Spot]:
    for chain in chains(view):
        yield from _of_chain(chain)


def _of_chain(chain: Chain) -> Iterator[Spot]:
    """Cards first; a phone number is looked for in what they leave."""
    rest: list[Group] = []
    index = 0
    while index < len(chain.groups):
        after = _card_end(chain.groups, index)
        if not after:
            rest.append(chain.groups[index])
            index += 1
            continue
        yield from _phones(rest, is_cued=chain.is_cued)
        rest = []
        yield Kind.CARD, chain.groups[index].start, chain.groups[after - 1].end
        index = after
    yield from _phones(rest, is_cued=chain.is_cued)


# --- cards -------------------------------------------------------------------------------------------------------


def _card_end(groups: list[Group], first: int) -> int | None:
    """The index behind the card number that begins with a group."""
    digits = ""
    for index in range(first, len(groups)):
        digits += groups[index].digits
        if len(digits) > _LONGEST:
            return None
        if len(digits) not in _CARD_GROUPS:
            continue
        window = groups[first : index + 1]
        is_alone = first == 0 and index == len(groups) - 1
        is_one = is_alone or _lengths(window) in _CARD_GROUPS[len(digits)] or _all_spoken(window)
        if is_one and _is_card(digits, _lengths(window)):
            return index + 1
    return None


def _is_card(digits: str, lengths: tuple[int, ...]) -> bool:
    if not _has_issuer(digits):
        return False
    # Four groups of four that begin as the cards of this country do are meant as one, mistyped or bent on purpose.
    return _passes_luhn(digits) or (digits.startswith(("8600", "9860")) and lengths == (4, 4, 4, 4))


def _has_issuer(digits: str) -> bool:
    """Whether a number begins as the cards of its length do: Uzcard, Humo, Mir, Visa, Mastercard, UnionPay, Amex."""
    if len(digits) == 15:
        return digits.startswith(("34", "37"))
    if len(digits) == 16:
        return digits.startswith(("8600", "9860", "4", "5", "6")) or "2200" <= digits[:4] <= "2720"
    return len(digits) == 19 and digits.startswith(("62", "4"))


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


# --- phones ------------------------------------------------------------------------------------------------------


def _phones(groups: list[Group], *, is_cued: bool) -> Iterator[Spot]:
    if groups and _is_phone(groups, is_cued=is_cued, is_alone=True):
        yield Kind.PHONE, groups[0].start, groups[-1].end
        return
    index = 0
    while index < len(groups):
        after = _phone_end(groups, index)
        if after:
            yield Kind.PHONE, groups[index].start, groups[after - 1].end
        index = after or index + 1


def _phone_end(groups: list[Group], first: int) -> int | None:
    """The index behind the longest phone number that begins with a group."""
    found = None
    length = 0
    for index in range(first, len(groups)):
        length += len(groups[index].digits)
        if length > 15:
            break
        if length >= 9 and _is_phone(groups[first : index + 1], is_cued=False, is_alone=False):
            found = index + 1
    return found


def _is_phone(groups: list[Group], *, is_cued: bool, is_alone: bool) -> bool:
    digits = "".join(group.digits for group in groups)
    lengths = _lengths(groups)
    if len(digits) > 15 or _is_sum(groups, digits):
        return False
    if groups[0].plus and len(digits) >= 10:
        return True
    if groups[0].is_named and len(groups) < 3 and not digits.startswith("998"):
        return False  # an order, a player: a plain run of figures that is called so
    if is_alone and is_cued and len(digits) >= 7 and not groups[0].is_named:
        return True
    is_parted_well = lengths in _PHONE_GROUPS.get(len(digits), ()) or _all_spoken(groups)
    if not is_parted_well and not is_alone:
        return False
    return _is_national(digits, is_parted_well=is_parted_well)


def _is_national(digits: str, *, is_parted_well: bool) -> bool:
    """Uzbek numbers with and without the country, Russian and Kazakh ones with 7 or 8, Russian mobiles without."""
    if digits.startswith("00") and len(digits) > 12:
        digits = digits[2:]
    match len(digits):
        case 9:
            return digits[:2] in _UZ_CODES or (is_parted_well and digits[:2] in _RARE_UZ_CODES)
        case 10:
            return digits[0] == "9" and is_parted_well
        case 11:
            return digits[0] in "78" and digits[1] in "79" and is_parted_well
        case 12:
            return digits.startswith("998") and digits[3:5] in _UZ_CODES | _RARE_UZ_CODES
    return False


def _is_sum(groups: list[Group], digits: str) -> bool:
    """Money: said to be, or in thousands to the last nought."""
    if groups[-1].is_money:
        return digits.endswith("000") or len(digits) < 9
    if len(groups) == 1:
        return digits.endswith("000") and len(digits) < 9
    in_thousands = all(len(group.digits) == 3 for group in groups[1:]) and len(groups[0].digits) <= 3
    return in_thousands and digits.endswith("000")


def _lengths(groups: list[Group]) -> tuple[int, ...]:
    return tuple(len(group.digits) for group in groups)


def _all_spoken(groups: list[Group]) -> bool:
    return all(group.is_spoken for group in groups)
