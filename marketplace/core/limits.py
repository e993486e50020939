"""How often somebody may ask: one count for pages, API and sockets. Rates stand in `settings.RATE_LIMITS`, by scope.

At most so many requests of one key in each fixed window of time ("10/minute"): one atomic count in the shared cache per request,
so requests at the same moment cannot slip through together (a list of times that is read and written back would let them). A
new window starts with an empty count. A scope without a rate is free.
"""

import hashlib
import math
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marketplace.core.visitors import address_of

_RATE = re.compile(r"(\d+)/(second|minute|hour|day)\Z")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def spend(scope: str, key: str, *, now: float | None = None) -> int:
    """Count one request of this key. Returns 0, or after how many seconds to try again if it was one too many."""
    rate = settings.RATE_LIMITS.get(scope)
    if not rate:
        return 0
    limit, seconds = parse(rate)
    # Hashed: keys hold addresses of people.
    digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]
    return count(f"limit:{scope}:{digest}", limit, seconds, now=time.time() if now is None else now)


def count(name: str, limit: int, seconds: int, *, now: float) -> int:
    """Count one under this name in the window of `now` (Unix time). Returns 0, or how many seconds to wait beyond the limit.

    The name holds the window: a count that outlives its time-out by a slip is never asked for again.
    """
    name = f"{name}:{int(now // seconds)}"
    try:
        found = cache.incr(name)
    except ValueError:  # the first one of the window
        cache.add(name, 0, seconds + 10)
        try:
            found = cache.incr(name)
        except ValueError:  # the cache was full and let the count go
            return 0
    return 0 if found <= limit else math.ceil(seconds - now % seconds)


def parse(rate: str) -> tuple[int, int]:
    """Number and seconds of a rate: "10/minute" -> (10, 60). Raises ValueError for what is none."""
    match = _RATE.match(rate)
    if not match:
        raise ValueError(f"{rate!r} is no rate: write it as 10/minute")
    return int(match[1]), _SECONDS[match[2]]


def by_address(request: HttpRequest) -> str:
    """The key under which a network address is counted."""
    return f"address {address_of(request)}"


class AuthenticationLimitMiddleware:
    """Counts what is sent to the pages where people prove who they are (`settings.AUTHENTICATION_PAGES`).

    By network address, and by person where somebody is signed in already: they change a password or answer the question
    for it. The API's own doors count into the same scope, so trying here and there in turn gains nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"} or not re.match(
            settings.AUTHENTICATION_PAGES, request.path_info
        ):
            return self.get_response(request)
        keys = [by_address(request)]
        if request.user.is_authenticated:
            keys.append(f"person {request.user.pk}")
        if wait := max([spend("authentication", key) for key in keys]):
            return too_many(request, wait)
        return self.get_response(request)


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """The page that asks to wait so many seconds."""
    response = render(request, "429.html", {"wait": wait}, status=429)
    response["Retry-After"] = str(wait)
    return response
