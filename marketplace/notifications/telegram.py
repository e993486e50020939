"""Telegram's Bot API: one call at a time, and what its answers mean.

The token stands in the address of every call. No error of this module says an address, and what a server answers is cut to
what Telegram calls its description.
"""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings

from marketplace.core import http
from marketplace.core.jobs import NotNow

TIMEOUT = 15.0  # seconds
MAX_ANSWER = 1024 * 1024
# What we ask to be told: messages to the bot, and that somebody blocked it.
UPDATES = ["message", "my_chat_member"]


class Refused(Exception):
    """Telegram says no to this call; `code` as HTTP has it."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code} {description}")
        self.code, self.description = code, description


class Gone(Refused):
    """Nobody is there any more: the bot was blocked, or there is no such chat."""


def is_on() -> bool:
    """Whether there is a bot to talk to."""
    return bool(settings.TELEGRAM_BOT_TOKEN and settings.TELEGRAM_BOT_NAME)


def call(method: str, *, _timeout: float = TIMEOUT, **arguments: Any) -> Any:
    """The result of one call; `_timeout` in seconds. Raises NotNow (too many, down, no answer), Gone, or Refused for the rest."""
    try:
        answer = http.send(
            "POST",
            f"{settings.TELEGRAM_API_BASE}/bot{settings.TELEGRAM_BOT_TOKEN}/{method}",
            body=json.dumps(arguments).encode(),
            headers={"Content-Type": "application/json"},
            timeout=_timeout,
            most=MAX_ANSWER,
        )
        said = json.loads(answer.body)
    except (http.NoAnswer, ValueError) as error:
        # From None: the cause may name the address, and the token in it.
        raise NotNow(f"Telegram did not answer {method}: {type(error.__cause__ or error).__name__}") from None
    if not isinstance(said, dict):
        raise NotNow(f"Telegram answered {method} with no object") from None
    if said.get("ok") is True:
        return said.get("result")
    raise _meant(method, int(said.get("error_code") or answer.status), said)


def _meant(method: str, code: int, said: dict[str, Any]) -> Exception:
    description = str(said.get("description", ""))[:200].replace(settings.TELEGRAM_BOT_TOKEN, "…")
    if code == 429:
        seconds = (said.get("parameters") or {}).get("retry_after", 30)
        after = timedelta(seconds=min(max(int(seconds), 1), 3600))
        return NotNow(f"Telegram wants a pause of {after.seconds} s before {method}", after=after)
    if code >= 500:
        return NotNow(f"Telegram answered {method} with {code}")
    if code == 403 or (code == 400 and "chat not found" in description.lower()):
        return Gone(code, description)
    return Refused(code, description)
