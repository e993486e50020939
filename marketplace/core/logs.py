"""The request's id in every log line, and no line with a secret that an address holds."""

import logging
import re
from contextvars import ContextVar
from typing import Any

from django.conf import settings

request_id: ContextVar[str] = ContextVar("request_id", default="-")


# What ends a line somewhere, or moves a terminal's cursor.
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def masked(text: str) -> str:
    """The text without the secret parts of addresses (settings.SECRETS_IN_ADDRESSES: what stands before them)."""
    return re.sub(
        f"((?:{settings.SECRETS_IN_ADDRESSES})/+)[^/?#\\s\"']+", r"\1***", text, flags=re.IGNORECASE
    )


class SecretAddressFilter(logging.Filter):
    """On handlers: servers write down what was called, and Django what it refused, with the whole path."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (clean := masked(message)) != message:
            record.msg, record.args = clean, ()
        return True


class LineFormatter(logging.Formatter):
    """One line for each message: what strangers send must not look like a line of ours. A traceback keeps its own lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        record.message = _BREAKS.sub(lambda sign: f"\\x{ord(sign[0]):02x}", record.message)
        return super().formatMessage(record)


def without_secrets(event: Any, _hint: Any) -> Any:
    """Sentry's `before_send`: an event names the address that was called."""
    request = event.get("request") or {}
    if "url" in request:
        request["url"] = masked(request["url"])
    return event
