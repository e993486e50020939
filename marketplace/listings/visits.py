"""Who looks at a listing: one hash per visitor and day, and a memory that makes a repeated visit cost nothing.

A visit is written beside the answer, by one thread per process: the page neither waits for it nor fails with it. What a
dying process still had in hand is lost; a number of visits may miss a few.
"""

import hashlib
import logging
import queue
import re
import secrets
import threading
import uuid
from dataclasses import dataclass
from datetime import date, datetime

from cachetools import LRUCache
from django.conf import settings
from django.core.cache import cache
from django.db import close_old_connections
from django.http import HttpRequest
from django.utils import timezone

from marketplace.core.background import Background
from marketplace.core.visitors import address_of
from marketplace.listings import services

logger = logging.getLogger(__name__)

_BOTS = re.compile(
    r"bot|crawl|spider|slurp|preview|monitor|curl|wget|python-|go-http|headless|^$", re.IGNORECASE
)
_REMEMBERED = 100_000
# A database that is slower than the crowd for that long loses visits rather than the process its memory.
_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Visit:
    listing_id: uuid.UUID
    visitor: str
    user_id: uuid.UUID | None
    at: datetime


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
    who = str(user_id) if user_id else f"{address_of(request)}|{agent}"
    visitor = hashlib.blake2s(f"{_salt(now.date())}|{who}".encode(), digest_size=16).hexdigest()
    key = (str(listing_id), visitor, now.date())
    with _lock:
        if key in _seen:
            return
        _seen[key] = True
    visit = Visit(listing_id, visitor, user_id, now)
    if settings.COURIER_THREAD:
        _queue(visit)
    else:
        _write(visit)


def write_waiting() -> None:
    """Write what waits, without waiting for more."""
    while True:
        try:
            visit = _writer.waiting.get_nowait()
        except queue.Empty:
            return
        _write(visit)


def _queue(visit: Visit) -> None:
    try:
        _writer.put(visit)
    except queue.Full:
        logger.warning("a visit of %s is not counted: too many wait to be written", visit.listing_id)


def _work() -> None:
    while True:
        visit = _writer.waiting.get()
        close_old_connections()
        try:
            _write(visit)
        except Exception:
            logger.exception("a visit of %s could not be counted", visit.listing_id)
        close_old_connections()


def _write(visit: Visit) -> None:
    services.record_view(
        listing_id=visit.listing_id, visitor=visit.visitor, user_id=visit.user_id, at=visit.at
    )


# (Not the function itself, so that a test can keep the writer still.)
_writer: Background[Visit] = Background("visits", lambda: _work(), most=_WAITING)


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
