"""Who is in a conversation right now. A mark in the shared cache that its sockets renew; the last time seen is a row."""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from marketplace.messaging.models import Presence

# A mark outlives two missed renewals (`core.live.watch.BEAT` is 15 seconds).
SECONDS = 75


def _key(user_id: Any) -> str:
    return f"presence:{user_id}"


def arrived(user_id: Any) -> bool:
    """Mark a person as here. Returns whether they were not before."""
    is_new = cache.add(_key(user_id), 1, SECONDS)
    if not is_new:
        cache.touch(_key(user_id), SECONDS)
    return is_new


def renew(user_ids: list[Any]) -> None:
    """Mark these people as still here; one round trip for all."""
    cache.set_many({_key(one): 1 for one in user_ids}, SECONDS)


def forget(user_ids: list[Any]) -> None:
    """Take the marks away of people whose socket has closed while they were renewed."""
    cache.delete_many([_key(one) for one in user_ids])


def left(user_id: Any) -> None:
    """One of their sockets has closed. Another one that is still open marks them again as soon as it hears of it."""
    cache.delete(_key(user_id))
    Presence.objects.update_or_create(user_id=user_id, defaults={"seen_at": timezone.now()})


def is_here(user_id: Any) -> bool:
    return cache.get(_key(user_id)) is not None


def here_among(user_ids: list[Any]) -> set[Any]:
    """Which of these people are here now; one look-up."""
    found = cache.get_many([_key(one) for one in user_ids])
    return {one for one in user_ids if _key(one) in found}


def last_seen(user_id: Any) -> datetime | None:
    return Presence.objects.filter(user_id=user_id).values_list("seen_at", flat=True).first()
