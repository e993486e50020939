"""Reading JSON that means the same to everybody."""

import json
import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser

NON_FIELD = "non_field_errors"


class BodyTooLarge(APIException):
    """The request's body is longer than the site takes (DATA_UPLOAD_MAX_MEMORY_SIZE)."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(_("The request is too large."))


class StrictJSONParser(BaseParser):
    """JSON as its standard has it: UTF-8, numbers that exist, no deeper and no longer than a request may be.

    A string with a NUL or half a surrogate pair, which no database takes, is refused beside its top-level field here,
    because fields that hold free JSON would let it through.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        try:
            text = _read(stream).decode("utf-8")
            data = json.loads(text, parse_constant=_no_number, parse_float=_finite)
            # Raw control characters are refused by the reader: only an escape can bring one in.
            unfit = sorted(set(_unfit_fields(data))) if "\\u" in text else []
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON in UTF-8.")) from error
        if unfit:
            raise ValidationError(
                {name: [_("This text holds characters that cannot be kept.")] for name in unfit}
            )
        return data


def _read(stream: Any) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    try:
        body: bytes = stream.read(limit + 1)
    except UnreadablePostError as error:
        raise ParseError(_("The body is not JSON in UTF-8.")) from error
    if len(body) > limit:
        raise BodyTooLarge
    return body


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("larger than any number")
    return number


def _unfit_fields(data: Any) -> Iterator[str]:
    """The top-level fields in which a string (or a name) cannot be kept."""
    if not isinstance(data, dict):
        if _is_unfit(data):
            yield NON_FIELD
        return
    for name, value in data.items():
        if _is_unfit(name):
            yield NON_FIELD
        elif _is_unfit(value):
            yield name


def _is_unfit(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, list):
        return any(map(_is_unfit, value))
    if isinstance(value, dict):
        return any(_is_unfit(name) or _is_unfit(inner) for name, inner in value.items())
    return False
