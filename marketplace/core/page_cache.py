"""Whole bodies for visitors who are not signed in, kept in this process's memory.

A view that gives every anonymous visitor the same page is marked with `@keep(tags=…)`. The middleware stands outside
sessions and sign-in, so an answer from memory costs one look at the shared generations (see `core.cache`): a price
change, a sale or a block is seen by the next request in every process. Such pages must not hold a CSRF token nor
anything of one visitor; a response that sets a cookie is never kept.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from cachetools import LRUCache
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import translation

from marketplace.core.cache import generation
from marketplace.core.preferences import theme_of

type View = Callable[..., HttpResponse]

# What no tag covers (the number of visits, "today") is at most this old, in seconds.
MAX_AGE = 300
MAX_BYTES = 64 * 1024 * 1024
_VARY = "Accept-Language, Cookie, HX-Request, HX-Target"


@dataclass(frozen=True, slots=True)
class Kept:
    """A body, the tags it depends on with their generation, and what to do when somebody sees it."""

    tags: tuple[str, ...]
    stamp: str
    body: bytes
    content_type: str
    etag: str
    language: str
    visited: Callable[[HttpRequest], object] | None
    at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.at < MAX_AGE and self.stamp == generation(*self.tags)


_bodies: LRUCache[tuple[str, ...], Kept] = LRUCache(MAX_BYTES, getsizeof=lambda kept: len(kept.body) + 500)
_lock = threading.Lock()


def forget_all() -> None:
    """Empty this process's memory (tests do)."""
    with _lock:
        _bodies.clear()


def keep(
    *, tags: Callable[..., tuple[str, ...]], visited: Callable[..., object] | None = None
) -> Callable[[View], View]:
    """Mark a view whose page is the same for every anonymous visitor.

    `tags(request, **url_kwargs)` names what the page depends on; `visited(request, **url_kwargs)` runs on each visit
    that is answered from memory (the view itself sees to the others).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated or _key(request) is None:
                return view(request, *args, **kwargs)
            depends = tags(request, **kwargs)
            stamp = generation(*depends)
            response = view(request, *args, **kwargs)
            seen = (lambda again: visited(again, **kwargs)) if visited else None
            response.kept = (depends, stamp, seen)  # type: ignore[attr-defined]
            return response

        return wrapped

    return decorate


class AnonymousPageMiddleware:
    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = _key(request)
        if key is None:
            return self.get_response(request)
        with _lock:
            kept = _bodies.get(key)
        if kept is not None and kept.is_fresh:
            if kept.visited:
                kept.visited(request)
            return _answer(request, kept)
        response = self.get_response(request)
        mark = getattr(response, "kept", None)
        if mark is None or response.status_code != 200 or response.cookies or response.streaming:
            return response
        tags, stamp, visited = mark
        etag = f'W/"{hashlib.sha256(response.content).hexdigest()[:24]}"'
        kept = Kept(
            tags,
            stamp,
            response.content,
            response["Content-Type"],
            etag,
            response.get("Content-Language", ""),
            visited,
            time.monotonic(),
        )
        with _lock:
            if len(kept.body) < MAX_BYTES // 64:
                _bodies[key] = kept
        return _answer(request, kept)


def _answer(request: HttpRequest, kept: Kept) -> HttpResponse:
    if request.headers.get("If-None-Match") == kept.etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(kept.body, content_type=kept.content_type)
        response["Content-Language"] = kept.language
        response["Content-Length"] = str(len(kept.body))
    response["ETag"] = kept.etag
    # Kept by the browser, asked about every time: the 304 is what saves a phone's data.
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = _VARY
    response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
    return response


def _key(request: HttpRequest) -> tuple[str, ...] | None:
    """What an anonymous page may vary by; None where the request is somebody's."""
    if (
        request.method != "GET"
        or settings.SESSION_COOKIE_NAME in request.COOKIES
        or "messages" in request.COOKIES
    ):
        return None
    headers = request.headers
    return (
        request.path_info,
        request.META.get("QUERY_STRING", ""),
        translation.get_language_from_request(request),
        theme_of(request),
        headers.get("HX-Target", "") if headers.get("HX-Request") and not headers.get("HX-Boosted") else "",
        headers.get("HX-History-Restore-Request", ""),
    )
