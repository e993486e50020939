"""How many messages a person may send: 50 a minute over all their sockets, in whichever processes those are."""

import math
import time
from collections.abc import Callable

from django.core.cache import cache

MESSAGES, WINDOW = 50, 60

# Unix time in seconds; a test brings its own.
clock: Callable[[], float] = time.time


def spend(user_id: object) -> int:
    """Count one message. Returns 0, or how many seconds to wait when the minute is spent.

    Counted in fixed minutes by one atomic step each, so messages at the same moment cannot slip through together. The name
    holds the minute: a count that outlives its time-out by a slip is never asked for again.
    """
    now = clock()
    name = f"live:messages:{user_id}:{int(now // WINDOW)}"
    try:
        count = cache.incr(name)
    except ValueError:  # the first one of the minute
        cache.add(name, 0, WINDOW + 10)
        try:
            count = cache.incr(name)
        except ValueError:  # the cache was full and let the count go
            return 0
    return 0 if count <= MESSAGES else math.ceil(WINDOW - now % WINDOW)
