"""HTTP calls to others: short, without redirects, only to those on the list (core.outside), and in one place, so that tests can
stand in for the wire.
"""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marketplace.core import outside

TIMEOUT = 8.0  # seconds
MAX_ANSWER = 256 * 1024


class NoAnswer(Exception):
    """The other side could not be reached, did not speak HTTP, or is nobody we talk to."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class _Connection(http.client.HTTPConnection):
    """Made by `outside.connect`, which looks at the address that a name leads to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = outside.connect


class _SafeConnection(http.client.HTTPSConnection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = outside.connect


class _ByDoor(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Connection, req)


class _BySafeDoor(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_SafeConnection, req, context=self._context)  # type: ignore[attr-defined]


_opener = urllib.request.build_opener(_NoRedirects, _ByDoor, _BySafeDoor)


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    most: int = MAX_ANSWER,
) -> Reply:
    """Any HTTP status is a reply, of whose body `most` bytes are read. Raises NoAnswer when there is none within `timeout`
    seconds, or when nobody is talked to there.
    """
    where = _where(url)
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310
    try:
        outside.check(*where)
        with _opener.open(request, timeout=timeout) as reply:
            return Reply(reply.status, reply.read(most), dict(reply.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read(most), dict(error.headers))
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{where[1]}:{where[2]}: {error}") from error


def _where(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises NoAnswer."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise NoAnswer("not an HTTP address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port is None:
        raise NoAnswer("not an HTTP address")
    return parts.scheme, parts.hostname, port
