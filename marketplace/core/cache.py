"""What is cached, and how a change is seen by the next request in every process.

Nothing is deleted from caches: a cached thing remembers the *generation* of each tag it depends on, and a write bumps
the tags. Generations live in the shared cache, so all processes see a bump as soon as the writer's commit is done.
"""

import uuid
from functools import partial

from django.core.cache import cache
from django.db import transaction

_PREFIX = "generation:"


def generation(*tags: str) -> str:
    """A stamp that changes when any of the tags is bumped. Read it *before* reading what is to be cached."""
    keys = [_PREFIX + tag for tag in tags]
    found = cache.get_many(keys)
    for key in keys:
        if key not in found:
            # Never a constant: after a flush a stamp must not come back that an older body was stored under.
            found[key] = cache.get_or_set(key, lambda: uuid.uuid4().hex[:12], timeout=None)
    return ".".join(found[key] for key in keys)


def bump(*tags: str) -> None:
    """Make everything that depends on these tags stale, once the transaction commits."""
    transaction.on_commit(partial(_bump, tags))


def _bump(tags: tuple[str, ...]) -> None:
    cache.set_many({_PREFIX + tag: uuid.uuid4().hex[:12] for tag in tags}, timeout=None)
