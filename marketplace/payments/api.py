"""The payments' door for programs: providers' webhooks."""

import json

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from marketplace.core.errors import DomainError
from marketplace.core.visitors import address_of
from marketplace.payments import services
from marketplace.payments.errors import BadPayload, BodyTooLarge
from marketplace.payments.providers.base import Answer
from marketplace.payments.services.webhooks import MAX_BODY


@csrf_exempt
def webhook(request: HttpRequest, provider: str, action: str = "") -> HttpResponse:
    """A payment provider tells us something. What signs it is the only credential.

    Not a view of the REST framework: the body is taken as bytes, whatever it calls itself, and the answer is the
    protocol's own.
    """
    try:
        if not services.knows_method(provider, request.method or ""):
            known = [method for method in ("GET", "POST") if services.knows_method(provider, method)]
            return HttpResponseNotAllowed(known)
        answer = services.receive(
            provider_code=provider,
            headers=request.headers,
            body=_body(request),
            method=request.method or "",
            action=action,
            query=request.META.get("QUERY_STRING", ""),
            address=address_of(request),
        )
    except DomainError as error:
        message = {"code": error.code, "message": str(error.message), "details": {}}
        answer = Answer(error.status, {"success": False, "error": message})
    return _said(answer)


def _said(answer: Answer) -> HttpResponse:
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
    return HttpResponse(text, status=answer.status, content_type=answer.content_type)


def _body(request: HttpRequest) -> bytes:
    """The raw bytes. Raises BodyTooLarge before reading what calls itself too long."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length[:12]) > MAX_BODY:
        raise BodyTooLarge(length)
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge("very") from error
    except UnreadablePostError as error:
        raise BadPayload("broken off") from error
    if len(body) > MAX_BODY:
        raise BodyTooLarge(str(len(body)))
    return body
