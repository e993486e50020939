"""The way in for sockets and streams: the host, the Origin, and who it is.

A browser shows its session's cookie, and its Origin must be ours: websockets know no same-origin policy, so any page in the
world could open one in our reader's name. A program shows a one-use ticket and needs no Origin.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

from marketplace.core.live import tickets
from marketplace.core.live.reader import Reader, from_grant, from_session, visitor
from marketplace.core.live.threads import in_thread
from marketplace.core.visitors import Caller, address_of, caller

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """ASGI middleware in front of consumers: puts `reader` into the scope, or refuses with 403 before the handshake.

    Nobody is a reader too (a visitor); whether visitors are served is the consumer's decision, whose close code a client
    can read. A ticket is taken out of the address before anything can log it.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reader = await _admitted(scope)
        if reader is None:
            await _forbid(scope, receive, send)
            return
        scope["reader"] = reader
        if not reader.is_signed_in:
            await self.application(scope, receive, send)
            return
        token = caller.set(Caller(lambda: reader.address, _agent(scope), lambda: reader.user))
        try:
            await self.application(scope, receive, send)
        finally:
            caller.reset(token)


async def _admitted(scope: Scope) -> Reader | None:
    """Who comes in, or None. By itself, for what stands in `__call__` is held for as long as the connection is open."""
    ticket = take_out_ticket(scope)
    request = ASGIRequest({**scope, "type": "http", "method": "GET"}, BytesIO())
    if not _is_our_host(request) or not _is_our_origin(scope, request, has_ticket=bool(ticket)):
        return None
    return await _reader(scope, request, ticket)


def _agent(scope: Scope) -> str:
    agent: bytes = next((value for name, value in scope.get("headers", []) if name == b"user-agent"), b"")
    return agent[:400].decode("latin-1")


def take_out_ticket(scope: Scope) -> str:
    """Remove `ticket` from the address, in place: the server keeps this scope and would log it with the handshake."""
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    ticket = next((value for name, value in query if name == "ticket"), "")
    if any(name == "ticket" for name, _value in query):
        scope["query_string"] = urlencode([pair for pair in query if pair[0] != "ticket"]).encode("latin-1")
    return ticket


def redeemed(ticket: str, *, address: str) -> Reader | None:
    """The person of a ticket, which is spent by it; None if it is not good or they may not come in."""
    grant = tickets.take(ticket)
    return from_grant(grant, address=address) if grant else None


async def _reader(scope: Scope, request: ASGIRequest, ticket: str) -> Reader:
    if ticket and scope["type"] == "websocket":
        found = await in_thread(redeemed)(ticket, address=address_of(request))
        # Whoever shows a ticket comes by it or not at all: their cookie counts for nothing here.
        return found or visitor(request)
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if session_key:
        return await in_thread(from_session)(request, session_key)
    return visitor(request)


def _is_our_host(request: ASGIRequest) -> bool:
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _is_our_origin(scope: Scope, request: ASGIRequest, *, has_ticket: bool) -> bool:
    """Django's rule for forms: the Origin is the very host that was asked, or one of CSRF_TRUSTED_ORIGINS."""
    origin = request.headers.get("Origin")
    if origin is None:
        # Browsers always say it when they open a socket; for a stream of their own site they do not.
        return has_ticket or scope["type"] == "http"
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    for trusted in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS):
        if parts.scheme == trusted.scheme and is_same_domain(parts.netloc, trusted.netloc.lstrip("*")):
            return True
    schemes = {"https"} if settings.SESSION_COOKIE_SECURE else {"http", "https"}
    return parts.scheme in schemes and parts.netloc == request.get_host().lower()


async def _forbid(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})  # before the handshake: servers answer 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"not from here"})
