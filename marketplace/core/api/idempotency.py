"""`Idempotency-Key`: whoever moves money or makes something names the attempt, so that a repeat finds its first answer."""

import re
from http import HTTPStatus

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from marketplace.core.errors import DomainError

_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?")


class IdempotencyKeyRequired(DomainError):
    code = "idempotency_key_required"
    status = HTTPStatus.BAD_REQUEST
    message = _("Send an Idempotency-Key header: a new one for each new wish, the same one for a repeat.")


class IdempotencyKeyInvalid(DomainError):
    code = "idempotency_key_invalid"
    status = HTTPStatus.BAD_REQUEST
    message = _("An Idempotency-Key has 1 to 100 printable ASCII characters.")


def idempotency_key(request: Request, *, required: bool = True) -> str:
    """The request's key: 1..100 printable ASCII characters, as long as the column that keeps it; "" where none was sent.

    Raises IdempotencyKeyRequired when there has to be one, IdempotencyKeyInvalid when it is no key.
    """
    given = request.headers.get("Idempotency-Key", "").strip(" \t")
    if not given:
        if required:
            raise IdempotencyKeyRequired("no key")
        return ""
    if not _PRINTABLE.fullmatch(given):
        raise IdempotencyKeyInvalid(f"{len(given)} characters")
    return given
