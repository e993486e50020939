"""What holds for every address of the API, whichever view or middleware answers."""

from collections.abc import Callable
from datetime import UTC
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from marketplace.core.api.errors import is_api, plain

_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")


class HttpsMiddleware:
    """A program that calls without HTTPS is refused, not led on: it has sent its token for all to read, and is to learn so.

    Pages are led to HTTPS by Django's own middleware. Source: OWASP ASVS 5.0, 4.1.2.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and is_api(request) and not request.is_secure():
            return plain(HTTPStatus.FORBIDDEN, request=request, code="https_required")
        return self.get_response(request)


class ApiMiddleware:
    """Under /api/ a refusal is never a page, times are UTC, and nothing is kept by caches unless its view says so.

    Stands inside LocaleMiddleware, so that messages are in the reader's language, and outside what may refuse a request
    before a view sees it: unknown hosts, bodies that are too large, the lock against guessing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_api(request):
            return response
        # Only pages: what providers' webhooks are answered is in the providers' own formats. A traceback stays one.
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and response.status_code >= 400 and not (settings.DEBUG and response.status_code >= 500):
            page, response = response, plain(response.status_code, request=request)
            for name in _KEPT:
                if page.has_header(name):
                    response[name] = page[name]
        response.setdefault("Cache-Control", "no-store")
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Inside the middleware that sets the reader's own clock, which puts the old one back afterwards."""
        if is_api(request):
            timezone.activate(UTC)
