"""A signed-in person's language and clock, and what stays in the browser when they leave."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation


class PreferencesMiddleware:
    """Show times in the reader's zone, and pages in their language where the browser has chosen none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Only a visitor with a session can be anybody; asking the others would touch the session for nothing.
        user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        zone = ZoneInfo(settings.DEFAULT_USER_TIME_ZONE)
        if user is not None and user.is_authenticated:
            zone = user.zone
        if (
            user is not None
            and user.is_authenticated
            and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES
        ):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        with timezone.override(zone):
            return self.get_response(request)


class LeavingMiddleware:
    """Whoever signs out leaves nothing in the browser's storage: drafts of messages are kept there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "has_left", False):
            response["Clear-Site-Data"] = '"storage"'
        return response


def note_leaving(*, request: HttpRequest | None = None, **_signal: Any) -> None:
    """Receives Django's `user_logged_out`."""
    if request is not None:
        request.has_left = True  # type: ignore[attr-defined]
