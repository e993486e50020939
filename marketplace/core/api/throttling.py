"""How often somebody may ask. Rates stand in `settings.API_THROTTLE_RATES`; a scope without a rate is free."""

import hashlib
import math
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

_RATE = re.compile(r"(\d+)/(second|minute|hour|day)\Z")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Throttle(BaseThrottle):
    """At most so many requests of one key in each fixed window of time ("10/minute").

    One atomic count in the cache per request, so requests at the same moment cannot slip through together (a list of
    times that is read and written back would let them). A new window starts with an empty count.
    """

    scope = ""
    timer: Callable[[], float] = staticmethod(time.time)

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = settings.API_THROTTLE_RATES.get(self.scope)
        key = self.key(request, view) if rate else None
        if not rate or key is None:
            return True
        limit, seconds = parse(rate)
        now = self.timer()
        self._wait = seconds - now % seconds
        # Hashed: keys hold addresses of people, and whatever they typed.
        digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]
        name = f"throttle:{self.scope}:{digest}:{int(now // seconds)}"
        cache.add(name, 0, seconds + 10)
        try:
            count = cache.incr(name)
        except ValueError:  # the cache was full and let the count go
            return True
        return count <= limit

    def wait(self) -> float:
        """Seconds until the next window."""
        return math.ceil(self._wait)

    def key(self, request: Request, view: Any) -> str | None:
        """Whose requests are counted together; None: not counted."""
        raise NotImplementedError


def parse(rate: str) -> tuple[int, int]:
    """Number and seconds of a rate: "10/minute" -> (10, 60). Raises ValueError for what is none."""
    match = _RATE.match(rate)
    if not match:
        raise ValueError(f"{rate!r} is no rate: write it as 10/minute")
    return int(match[1]), _SECONDS[match[2]]


def network_address(request: Request) -> str:
    """Where the request comes from; the servers see to it that this is the visitor and not a proxy."""
    return str(request.META.get("REMOTE_ADDR", ""))


class AddressThrottle(Throttle):
    """Requests of one network address."""

    def key(self, request: Request, view: Any) -> str | None:  # noqa: ARG002
        return network_address(request)


class PersonThrottle(Throttle):
    """Requests of one signed-in person, from wherever."""

    scope = "person"

    def key(self, request: Request, view: Any) -> str | None:  # noqa: ARG002
        return str(request.user.pk) if request.user and request.user.is_authenticated else None


class VisitorThrottle(AddressThrottle):
    """Requests of an address that says not who it is.

    Views that know no people at all (sign-in, providers' webhooks) bring limits of their own or none: a provider must
    never be kept from telling us about a payment.
    """

    scope = "visitor"

    def key(self, request: Request, view: Any) -> str | None:
        if not view.authentication_classes or (request.user and request.user.is_authenticated):
            return None
        return super().key(request, view)
