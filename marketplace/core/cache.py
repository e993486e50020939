"""What is cached, and how a change is seen by the next request in every process.

Nothing is deleted from caches: a cached thing remembers the *generation* of each tag it depends on, and a write bumps
the tags. Generations live in the shared cache, so all processes see a bump as soon as the writer's commit is done.
"""

import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast

from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

_PREFIX = "generation:"
_REMEMBERED = "remembered:"
_REMEMBER_FOR = 3600


# What this request has read of the generations: several parts of a page ask for the same ones.
_read: ContextVar[dict[str, str] | None] = ContextVar("generations", default=None)


class GenerationsMiddleware:
    """Within one request each generation is read once. That is early rather than late, so what is kept under it is safe."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _read.set({})
        try:
            return self.get_response(request)
        finally:
            _read.reset(token)


def generation(*tags: str) -> str:
    """A stamp that changes when any of the tags is bumped. Read it *before* reading what is to be cached."""
    read = _read.get()
    stamps = dict(read) if read else {}
    missing = [_PREFIX + tag for tag in tags if tag not in stamps]
    if missing:
        found = cache.get_many(missing)
        for key in missing:
            # Never a constant: after a flush a stamp must not come back that an older body was stored under.
            stamp = found.get(key) or cache.get_or_set(key, _new_stamp, timeout=None)
            stamps[key.removeprefix(_PREFIX)] = str(stamp)
        if read is not None:
            read.update(stamps)
    return ".".join(stamps[tag] for tag in tags)


def _new_stamp() -> str:
    return uuid.uuid4().hex[:12]


class _Bump:
    """The tags that one transaction makes stale, sent in one round trip."""

    def __init__(self) -> None:
        self.tags: set[str] = set()

    def __call__(self) -> None:
        cache.set_many({_PREFIX + tag: _new_stamp() for tag in self.tags}, timeout=None)
        if (read := _read.get()) is not None:
            for tag in self.tags:
                read.pop(tag, None)


def bump(*tags: str) -> None:
    """Make everything that depends on these tags stale, once the transaction commits."""
    hooks = cast("list[Any]", connection.run_on_commit)
    waiting = next((hook[1] for hook in hooks if isinstance(hook[1], _Bump) and _lasts(hook[0])), None)
    if waiting is not None and connection.in_atomic_block:
        waiting.tags.update(tags)
        return
    new = _Bump()
    new.tags.update(tags)
    transaction.on_commit(new)


def _lasts(savepoints: set[str]) -> bool:
    """Whether what was registered within these savepoints is undone only together with what is written now."""
    return savepoints <= set(connection.savepoint_ids)


def remembered[T](name: str, *tags: str, compute: Callable[[], T]) -> T:
    """What `compute()` gives, kept in the shared cache until one of the tags is bumped; one look-up when it is there.

    Inside a transaction nothing is kept nor believed: what is read there may be undone, or newer than what is kept.
    """
    if connection.in_atomic_block:
        return compute()
    keys, place = [_PREFIX + tag for tag in tags], _REMEMBERED + name
    found = cache.get_many([*keys, place])
    kept = found.get(place)
    if kept and kept[0] == ".".join(found.get(key, "") for key in keys):
        return cast("T", kept[1])
    stamp = generation(*tags)
    value = compute()
    cache.set(place, (stamp, value), _REMEMBER_FOR)
    return value


def person(user_id: object) -> str:
    """The tag of what one person's header shows: their money, their counters."""
    return f"person:{user_id}"
