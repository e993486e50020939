"""Who is calling: the address, what they call with, and who they have shown to be."""

import ipaddress
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever stands behind what is done at the moment: a browser, a program, a socket.

    `afterwards` is done once the request is over and its transactions with it, whatever became of them.
    """

    where: Callable[[], str] = field(repr=False)
    agent: str
    who: Callable[[], Any] = field(repr=False)
    afterwards: list[Callable[[], object]] = field(default_factory=list, repr=False)

    @property
    def address(self) -> str:
        """As `address_of` has it. Asked for late too: few requests leave a trace that needs it."""
        return self.where()

    @property
    def person(self) -> Any:
        """Who is signed in, or None. Asked for late: a page for nobody in particular must not touch a session."""
        user = self.who()
        return user if user is not None and user.is_authenticated else None


# None in commands and tasks.
caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


class CallerMiddleware:
    """Lets everything below know who calls, without handing the request down."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        mine = Caller(
            lambda: address_of(request),
            request.headers.get("User-Agent", ""),
            lambda: getattr(request, "user", None),
        )
        token = caller.set(mine)
        try:
            return self.get_response(request)
        finally:
            caller.reset(token)
            for what in mine.afterwards:
                try:
                    what()
                except Exception:  # the answer stands
                    logger.exception("left undone after a request")


def address_of(request: HttpRequest) -> str:
    """The caller's address, empty when there is none (a Unix socket).

    Behind a proxy it is the header that the proxy overwrites (settings.REAL_IP_HEADER), believed only when the connection
    comes from where our proxies stand (settings.TRUSTED_PROXIES) or over a Unix socket; otherwise the connection's.
    """
    connection = _address(request.META.get("REMOTE_ADDR", ""))
    header = settings.REAL_IP_HEADER
    if header and (not connection or _is_proxy(connection, tuple(settings.TRUSTED_PROXIES))):
        return _address(request.headers.get(header, "")) or connection
    return connection


def _address(text: str) -> str:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    # A socket for both kinds calls 203.0.113.7 "::ffff:203.0.113.7": one visitor, one name.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


@cache
def _networks(names: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(name) for name in names]


def _is_proxy(address: str, networks: tuple[str, ...]) -> bool:
    return any(ipaddress.ip_address(address) in network for network in _networks(networks))
