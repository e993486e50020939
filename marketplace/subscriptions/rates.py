"""The fee of each plan, as it was a minute ago at most.

Every purchase asks, and a fee is changed once in a year: each process remembers them for that long. A trade keeps the
fee it began with.
"""

import threading

from cachetools import TTLCache

from marketplace.subscriptions.models import SubscriptionPlan

_ALL = "all"
_rates: TTLCache[str, dict[str, int]] = TTLCache(1, ttl=60)
_lock = threading.Lock()


def commission(plan: str) -> int:
    """The fee of a sale by somebody with that plan (a value of `User.plan`), in basis points."""
    with _lock:
        known = _rates.get(_ALL)
    if known is None:
        # Another transaction may be changing them: what is read here is committed or our own, and old in a minute.
        known = dict(SubscriptionPlan.objects.values_list("slug", "commission_basis_points"))
        with _lock:
            _rates[_ALL] = known
    return known.get(plan, known[SubscriptionPlan.Slug.FREE])


def forget() -> None:
    """Empty this process's memory: a plan was saved here (and between tests)."""
    with _lock:
        _rates.clear()
