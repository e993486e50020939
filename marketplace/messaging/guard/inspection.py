"""Puts the rules together: what is seen in one message."""

from collections.abc import Collection, Iterator

from marketplace.messaging.guard.addresses import emails, handles, links
from marketplace.messaging.guard.cards_and_phones import cards_and_phones
from marketplace.messaging.guard.folding import View, drawn_together, fold
from marketplace.messaging.guard.kinds import Finding, Kind
from marketplace.messaging.guard.passwords import passwords

# Where two kinds are seen in the same place, the first is told: what may not be sent at all, then what contains the other.
_ORDER = {Kind.CARD: 0, Kind.PASSWORD: 1, Kind.LINK: 2, Kind.EMAIL: 2, Kind.HANDLE: 3, Kind.PHONE: 4}
_DOT = "•"

type _Seen = tuple[
    Kind, int, int, int
]  # kind, start, start of what is masked, end; places in the text as written


def inspect(text: str, *, own_hosts: Collection[str] = ()) -> list[Finding]:
    """What in a message is unsafe, by place; findings do not overlap.

    `own_hosts` are hosts, with a port where they have one, whose links are no finding. The work grows with the length
    of the text and with nothing else.
    """
    view = fold(text)
    seen = list(_look(view, own_hosts, drawn=False))
    together = drawn_together(view)
    if together:
        seen += _look(together, own_hosts, drawn=True)
    return [_finding(text, *spot) for spot in _apart(seen)]


def _look(view: View, own_hosts: Collection[str], *, drawn: bool) -> Iterator[_Seen]:
    spots = [*links(view, own_hosts), *emails(view), *handles(view, drawn=drawn)]
    if not drawn:
        spots += cards_and_phones(view)
    for kind, first, after in spots:
        start, end = view.span(first, after)
        yield kind, start, start, end
    for first, secret, after in passwords(view):
        start, end = view.span(first, after)
        yield Kind.PASSWORD, start, view.starts[secret], end


def _apart(seen: list[_Seen]) -> list[_Seen]:
    """Those that stand, sorted by place: of two that overlap the earlier in the order of kinds, then the longer."""
    taken = bytearray(max((end for *_, end in seen), default=0))
    kept = []
    for spot in sorted(seen, key=lambda spot: (_ORDER[spot[0]], spot[1] - spot[3], spot[1])):
        _kind, start, _secret, end = spot
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            kept.append(spot)
    return sorted(kept, key=lambda spot: spot[1])


def _finding(text: str, kind: Kind, start: int, secret: int, end: int) -> Finding:
    seen = text[start:end]
    if kind is Kind.PASSWORD:
        seen = text[start:secret] + _DOT * 6  # not even its length is told
    elif kind is Kind.CARD:
        seen = _masked_card(seen)
    return Finding(kind, start, end, seen)


def _masked_card(written: str) -> str:
    """All figures and letters but the last four figures become dots; a card in words shows none."""
    figures = [index for index, char in enumerate(written) if char.isdigit()]
    shown = set(figures[-4:]) if not any(char.isalpha() for char in written) else set()
    return "".join(
        _DOT if char.isalnum() and index not in shown else char for index, char in enumerate(written)
    )
