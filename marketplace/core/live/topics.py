"""What a page may follow on its stream, and how events look there. The apps above register both in `AppConfig.ready()`.

A page names what it follows in the stream's address: `/live/?on=trade:<id>:<stamp>`. The stamp is that of what the page
shows; when it is another one by the time the stream opens, the page is told at once, so nothing falls into the gap between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.core.live.reader import Reader

type Stamp = Callable[[Any, str], str | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream. `data` is HTML or JSON; `id` comes back as Last-Event-ID after a break."""

    event: str
    data: str = "{}"
    id: str = ""


type Show = Callable[[Reader, dict[str, Any]], Frame | None]
type Greet = Callable[[Reader, str], list[Frame]]

_stamps: dict[str, tuple[Stamp, str]] = {}
_shows: dict[str, Show] = {}
_greets: list[Greet] = []


def stamp_of(value: datetime | int | str) -> str:
    """How a version or a time of change is written in a stream's address."""
    return str(int(value.timestamp() * 1_000_000)) if isinstance(value, datetime) else str(value)


def register(name: str, *, stamp: Stamp, event: str) -> None:
    """Let pages follow `name:<key>`. `stamp(user, key)` is the stamp of now, or None for what this user may not see.

    `event` is what is published when it changes, and sent at once to a page whose stamp is old.
    """
    _stamps[name] = stamp, event


def show(event: str, how: Show) -> None:
    """How a published event looks on a stream; None for not at all. Others are sent with their payload as JSON."""
    _shows[event] = how


def greet(how: Greet) -> None:
    """What a signed-in reader is sent when a stream opens, given the Last-Event-ID of the one before or ""."""
    if how not in _greets:
        _greets.append(how)


def how_to_show(event: str) -> Show | None:
    return _shows.get(event)


def greetings(reader: Reader, last_id: str) -> list[Frame]:
    return [frame for how in _greets for frame in how(reader, last_id)]


def allowed(reader: Reader, wanted: list[str]) -> tuple[list[str], list[Frame]]:
    """Of what a page wants to follow, the topics this reader may, and the events it has missed already."""
    topics, missed = [], []
    for text in wanted:
        name, _sep, rest = text.partition(":")
        key, _sep, shown = rest.partition(":")
        stamp, event = _stamps.get(name, (None, ""))
        now = stamp(reader.user, key) if stamp else None
        if now is None:
            continue
        topics.append(f"{name}:{key}" if key else name)
        if shown and shown != now:
            missed.append(Frame(event))
    return topics, missed
