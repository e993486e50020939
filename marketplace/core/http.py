"""HTTP calls to others: short, without redirects, and in one place, so that tests can stand in for the wire."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 8.0  # seconds
MAX_ANSWER = 256 * 1024


class NoAnswer(Exception):
    """The other side could not be reached, or did not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def send(
    method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Any HTTP status is a reply. Raises NoAnswer when there is none within TIMEOUT."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise NoAnswer(f"not an HTTP address: {url}")
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310
    try:
        with _opener.open(request, timeout=TIMEOUT) as reply:
            return Reply(reply.status, reply.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read(MAX_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{urlsplit(url).netloc}: {error}") from error
