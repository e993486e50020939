"""How many messages a person may send: 50 a minute over all their sockets, in whichever processes those are."""

import time
from collections.abc import Callable

from marketplace.core.limits import count

MESSAGES, WINDOW = 50, 60

# Unix time in seconds; a test brings its own.
clock: Callable[[], float] = time.time


def spend(user_id: object) -> int:
    """Count one message. Returns 0, or how many seconds to wait when the minute is spent."""
    return count(f"live:messages:{user_id}", MESSAGES, WINDOW, now=clock())
