"""The request's id in every log line, and no line with a secret in it."""

import logging
import re
from contextvars import ContextVar
from typing import Any

from marketplace.core import scrub

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# What ends a line somewhere, or moves a terminal's cursor.
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class SecretsFilter(logging.Filter):
    """On handlers, so that whatever formats the line has nothing secret in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (clean := scrub.text(message)) != message:
            record.msg, record.args = clean, ()
        return True


class LineFormatter(logging.Formatter):
    """One line for each message: what strangers send must not look like a line of ours. A traceback keeps its own lines.

    Of those lines, too, nothing secret is written: an error quotes what it stumbled over.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        record.message = _BREAKS.sub(lambda sign: f"\\x{ord(sign[0]):02x}", record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_text:  # of a formatter of somebody else's, before this one
            record.exc_text = scrub.text(record.exc_text)
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        return scrub.text(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 (the library's name)
        return scrub.text(super().formatStack(stack_info))


def without_secrets(event: Any, _hint: Any) -> Any:
    """Sentry's `before_send`: what was called and said, its breadcrumbs, the variables, whatever came along."""
    return scrub.data(event)
