"""The API's envelope: every error answers {"success": false, "error": {"code", "message", "details"}}."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from marketplace.core.errors import DomainError

_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


def envelope(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. Returns None for a bug, which then is a 500 like everywhere."""
    if isinstance(error, DomainError):
        return Response(_body(error.code, str(error.message)), status=error.status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = _body(
            "validation_error", str(exceptions.ValidationError.default_detail), response.data
        )
        return response
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    message = str(getattr(error, "detail", "")) or str(error)
    response.data = _body(_CODES.get(response.status_code, "error"), message)
    return response


def _body(code: str, message: str, details: object = None) -> dict[str, object]:
    return {"success": False, "error": {"code": code, "message": message, "details": details or {}}}
