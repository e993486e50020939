"""The request's id in every log line, and no line with a secret that an address holds."""

import logging
import re
from contextvars import ContextVar
from typing import Any

from django.conf import settings

request_id: ContextVar[str] = ContextVar("request_id", default="-")


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


def without_secrets(event: Any, _hint: Any) -> Any:
    """Sentry's `before_send`: an event names the address that was called."""
    request = event.get("request") or {}
    if "url" in request:
        request["url"] = masked(request["url"])
    return event
