"""Facts announced upwards: a service says what has happened, and who listens stands in `project/listeners.py`.

Listeners run after the commit and only queue work; what must not be lost is a row of the same transaction instead.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

logger = logging.getLogger(__name__)

_listeners: dict[type, list[Callable[[Any], object]]] = defaultdict(list)


def listen[Fact](fact_type: type[Fact], listener: Callable[[Fact], object]) -> None:
    """Call `listener(fact)` after each commit that announced such a fact. Saying it twice changes nothing."""
    if listener not in _listeners[fact_type]:
        _listeners[fact_type].append(listener)


def announce(fact: object) -> None:
    """Tell the listeners of this fact once the transaction commits (at once when there is none)."""
    transaction.on_commit(partial(_tell, fact))


def _tell(fact: object) -> None:
    for listener in tuple(_listeners[type(fact)]):
        try:
            listener(fact)
        except Exception:  # one listener's bug must not silence the others; the write itself is committed
            logger.exception(
                "listener failed: %s on %s", getattr(listener, "__qualname__", listener), type(fact).__name__
            )
