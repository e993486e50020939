"""How many offers each game has. Offers live in an app above, which registers how to count them."""

import uuid
from collections.abc import Callable, Mapping

type Counter = Callable[[], Mapping[uuid.UUID, int]]

_counters: list[Counter] = []


def register(counter: Counter) -> None:
    """`counter()` gives the number of offers on sale by game id; called in the owner's `AppConfig.ready`."""
    _counters[:] = [counter]


def offers() -> Mapping[uuid.UUID, int]:
    """Offers on sale by game id; a game without any may be missing."""
    return _counters[0]() if _counters else {}
