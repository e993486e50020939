"""The API's envelope: every error answers {"success": false, "error": {"code", "message", "details"}}."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import exceptions as django
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from marketplace.core.errors import DomainError
from marketplace.core.views import server_error as server_error_page

API_ROOT = "/api/"
# Whoever answers 401 has to say how to sign in.
CHALLENGE = 'Bearer realm="api"'

_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "server_error",
}


def is_api(request: HttpRequest) -> bool:
    """Whether this address belongs to the API, where no page is ever an answer."""
    return request.path_info.startswith(API_ROOT)


def envelope(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. Returns None for a bug, which then is a 500 like everywhere."""
    if isinstance(error, DomainError):
        return _refused(error)
    if isinstance(error, django.ValidationError):
        error = exceptions.ValidationError(get_error_detail(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        wrong = (
            response.data
            if isinstance(response.data, dict)
            else {api_settings.NON_FIELD_ERRORS_KEY: response.data}
        )
        response.data = body("validation_error", _("Some of what was sent is not right."), wrong)
        return response
    code = _CODES.get(response.status_code, "error")
    details: dict[str, object] | None = None
    if isinstance(error, exceptions.Throttled):
        message = _("Too many requests. Wait a little, then try again.")
        details = {"retry_after": int(response.headers.get("Retry-After", 0))}
    elif isinstance(error, (Http404, exceptions.NotFound)):
        message = _("There is nothing at this address.")
    elif isinstance(error, django.PermissionDenied):
        message = str(exceptions.PermissionDenied.default_detail)
    else:
        assert isinstance(error, exceptions.APIException)  # noqa: S101  # nosec B101 (all that is left)
        message = str(error.detail)
        code = _own_code(error) or code
    response.data = body(code, message, details)
    return response


def _refused(error: DomainError) -> Response:
    """A rule said no. A refusal may carry `details`, and `retry_after` in seconds."""
    details = getattr(error, "details", None)
    headers = {}
    retry_after = getattr(error, "retry_after", None)
    if retry_after:
        headers["Retry-After"] = str(retry_after)
        details = {"retry_after": retry_after, **(details or {})}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(body(error.code, str(error.message), details), status=error.status, headers=headers)


def _own_code(error: exceptions.APIException) -> str | None:
    """The code with which the error was raised, where that is more than its class's own."""
    code = error.get_codes()
    return code if isinstance(code, str) and code != error.default_code else None


def body(code: str, message: str, details: object = None) -> dict[str, object]:
    return {"success": False, "error": {"code": code, "message": message, "details": details or {}}}


def plain(status: int, *, request: HttpRequest, code: str = "") -> JsonResponse:
    """The envelope without Django REST framework: for what is refused before, around or instead of a view of ours.

    `code`: another than the status has.
    """
    messages = {
        HTTPStatus.FORBIDDEN: str(exceptions.PermissionDenied.default_detail),
        HTTPStatus.NOT_FOUND: _("There is nothing at this address."),
        HTTPStatus.METHOD_NOT_ALLOWED: _("This address takes other methods."),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("The request is too large."),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too many requests. Wait a little, then try again."),
    }
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    message = messages.get(HTTPStatus(status)) or (
        _("Something broke on our side, and it is on record.")
        if is_ours
        else _("This request cannot be read.")
    )
    details = {"request_id": getattr(request, "id", "")} if is_ours else None
    code = code or _CODES.get(status, "server_error" if is_ours else "error")
    return JsonResponse(body(code, message, details), status=status)


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug: the envelope with the code under which the log has it, or the page for people."""
    if is_api(request) and not settings.DEBUG:
        return plain(HTTPStatus.INTERNAL_SERVER_ERROR, request=request)
    return server_error_page(request)
