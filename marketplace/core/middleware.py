"""Request ids, what every answer says about itself, and the one place where a refusal meets HTML."""

import logging
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from marketplace.core.errors import DomainError
from marketplace.core.logs import request_id

logger = logging.getLogger(__name__)

type View = Callable[[HttpRequest], HttpResponse]

_FIT = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class RequestIdMiddleware:
    """Give each request an id (a proxy's, if it sent a fit one): in every log line, on error pages, in the answer."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if _FIT.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        token = request_id.set(request.id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        return response


class HeadersMiddleware:
    """Headers that every answer has, unless its view has said otherwise.

    Whatever is answered to a browser with a session is that person's: no cache keeps it, not even the browser's own, where
    the next reader of a shared computer would find it by the back button. Django sets the other headers by itself
    (settings, "Security").
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        name = settings.SESSION_COOKIE_NAME
        if name in request.COOKIES or name in response.cookies:
            response.setdefault("Cache-Control", "private, no-store")
        return response


class DomainErrorMiddleware:
    """Show a refused action as a page, or as a toast where htmx asked."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        logger.info("refused: %s (%s)", exception.code, exception)
        template, headers = "core/refused.html", {}
        if getattr(request, "htmx", False) and not request.htmx.boosted:  # type: ignore[attr-defined]
            template, headers = f"{template}#toast", {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
        response = TemplateResponse(
            request,
            template,
            {"error": exception, "status": exception.status},
            status=exception.status,
            headers=headers,
        )
        return response.render()
