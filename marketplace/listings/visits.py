"""Who looks at a listing: one hash per visitor and day, and a memory that makes a repeated visit cost nothing."""

import hashlib
import re
import secrets
import threading
import uuid
from datetime import date

from cachetools import LRUCache
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from marketplace.listings import services

_BOTS = re.compile(
    r"bot|crawl|spider|slurp|preview|monitor|curl|wget|python-|go-http|headless|^$", re.IGNORECASE
)
_REMEMBERED = 100_000

_seen: LRUCache[tuple[str, str, date], bool] = LRUCache(_REMEMBERED)
_salts: dict[date, str] = {}
_lock = threading.Lock()


def count(request: HttpRequest, listing_id: uuid.UUID) -> None:
    """Count this request as a visit of the listing, unless it is a bot's, a prefetch, or a repetition of today.

    The page calls it when it renders, and as `visited` of `core.page_cache.keep` when it is answered from memory.
    """
    if request.method != "GET" or request.headers.get("Sec-Purpose", "").startswith("prefetch"):
        return
    agent = request.headers.get("User-Agent", "")
    if _BOTS.search(agent):
        return
    now = timezone.now()
    user = getattr(request, "user", None)
    user_id = user.pk if user is not None and user.is_authenticated else None
    who = str(user_id) if user_id else f"{request.META.get('REMOTE_ADDR', '')}|{agent}"
    visitor = hashlib.blake2s(f"{_salt(now.date())}|{who}".encode(), digest_size=16).hexdigest()
    key = (str(listing_id), visitor, now.date())
    with _lock:
        if key in _seen:
            return
        _seen[key] = True
    services.record_view(listing_id=listing_id, visitor=visitor, user_id=user_id, at=now)


def forget_all() -> None:
    """Empty this process's memory (tests do)."""
    with _lock:
        _seen.clear()
        _salts.clear()


def _salt(day: date) -> str:
    """A secret of the day, shared over processes and then forgotten: without it a hash leads to nobody."""
    if day not in _salts:
        _salts.clear()
        _salts[day] = str(
            cache.get_or_set(f"visits:salt:{day}", lambda: secrets.token_hex(16), 2 * 24 * 3600)
        )
    return _salts[day]
