"""The payments' door for programs: providers' webhooks."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.payments import services
from marketplace.payments.errors import BadPayload, BodyTooLarge
from marketplace.payments.services.webhooks import MAX_BODY


class AlwaysJSON(BaseContentNegotiation):
    """Providers ask for whatever their HTTP library asks for; they get JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class Webhook(APIView):
    """A payment provider tells us something. The signature in it is the only credential."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = AlwaysJSON

    def post(self, request: Request, provider: str) -> Response:
        answer = services.receive(provider_code=provider, headers=request.headers, body=_body(request))
        return Response(answer.body, status=answer.status)


def _body(request: Request) -> bytes:
    """The raw bytes. Raises BodyTooLarge before reading what calls itself too long."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        raise BodyTooLarge(length)
    try:
        body: bytes = request._request.body  # noqa: SLF001 (DRF parses; the signature is over the bytes)
    except RequestDataTooBig as error:
        raise BodyTooLarge("very") from error
    except UnreadablePostError as error:
        raise BadPayload("broken off") from error
    if len(body) > MAX_BODY:
        raise BodyTooLarge(str(len(body)))
    return body
