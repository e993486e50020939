"""Reading what providers send: numbers, ids, JSON and forms, strictly. Source: reference, rules common to all providers."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID
from zoneinfo import ZoneInfo

from marketplace.core.money import MAX_MINOR, Minor
from marketplace.payments.errors import BadPayload

_DECIMAL = re.compile(r"\d{1,16}(\.\d{1,6})?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_json(body: bytes) -> Any:
    """Strict JSON in UTF-8: no NaN, no Infinity, no endless numbers, no text that a database cannot keep.

    Raises BadPayload.
    """
    try:
        data = json.loads(body.decode(), parse_constant=_no_constant)
        again = json.dumps(data, ensure_ascii=False)
        again.encode()  # half a surrogate pair is refused here
    except (ValueError, RecursionError) as error:
        raise BadPayload(f"no JSON: {error}"[:200]) from error
    if "\\u0000" in again:
        raise BadPayload("a text with a NUL")
    return data


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises BadPayload."""
    data = read_json(body)
    if not isinstance(data, dict):
        raise BadPayload("not an object")
    return data


def read_form(body: bytes) -> dict[str, str]:
    """Form-encoded fields, as texts; of a field that comes twice the first counts. Raises BadPayload."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=100,
            errors="strict",
        )
    except ValueError as error:
        raise BadPayload(f"no form: {error}"[:200]) from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def minor(value: object) -> Minor | None:
    """A whole positive number of minor units; None for anything else (a bool, a float, a text, out of range)."""
    return value if type(value) is int and 0 < value <= MAX_MINOR else None


def from_major(text: object) -> Minor | None:
    """Minor units of a plain decimal number of major units, such as "50000.00"; None for anything else."""
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        return None
    try:
        scaled = Decimal(text) * 100
    except InvalidOperation:
        return None
    return minor(int(scaled)) if scaled == scaled.to_integral_value() else None


def reference(value: object) -> UUID | None:
    """Our payment's id as it comes back; None when it cannot be one."""
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None


def provider_id(value: object) -> str | None:
    """A provider's number of something: visible ASCII of at most 128; whole numbers are taken as texts."""
    if type(value) is int:
        value = str(value) if abs(value) < 10**40 else ""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """A "YYYY-MM-DD HH:MM:SS" of that zone's clock, in UTC; None for anything else."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
