"""How often somebody may ask the API: `core.limits` behind the shape that Django REST framework wants."""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from marketplace.core.limits import by_address, spend


class Throttle(BaseThrottle):
    """Counts a request under `key` in the scope that a subclass names (`settings.RATE_LIMITS`)."""

    scope = ""
    timer: Callable[[], float] | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        key = self.key(request, view)
        if key is None:
            return True
        self._wait = spend(self.scope, key, now=self.timer() if self.timer else None)
        return self._wait == 0

    def wait(self) -> float:
        """Seconds until the next window."""
        return self._wait

    def key(self, request: Request, view: Any) -> str | None:
        """Whose requests are counted together; None: not counted."""
        raise NotImplementedError


class AddressThrottle(Throttle):
    """Requests of one network address."""

    def key(self, request: Request, view: Any) -> str | None:  # noqa: ARG002
        return by_address(request)


class PersonThrottle(Throttle):
    """Requests of one signed-in person, from wherever."""

    scope = "api"

    def key(self, request: Request, view: Any) -> str | None:  # noqa: ARG002
        is_somebody = request.user and request.user.is_authenticated
        return f"person {request.user.pk}" if is_somebody else None


class VisitorThrottle(AddressThrottle):
    """Requests of an address that says not who it is.

    Views that know no people at all (sign-in, providers' webhooks) bring limits of their own or none: a provider must
    never be kept from telling us about a payment.
    """

    scope = "api"

    def key(self, request: Request, view: Any) -> str | None:
        if not view.authentication_classes or (request.user and request.user.is_authenticated):
            return None
        return super().key(request, view)


class AuthenticationThrottle(AddressThrottle):
    """Tries of one network address to prove who somebody is, together with those on the pages."""

    scope = "authentication"
