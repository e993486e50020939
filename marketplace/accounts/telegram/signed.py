"""What Telegram says of a person, and when we believe it: signed with our bot's token, a moment ago, once.

Source: core.telegram.org/widgets/login, "Checking authorization".
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache

from marketplace.accounts.errors import TelegramNotBelieved

_FRESH = 300  # seconds from the press at Telegram to us
_AHEAD = 30  # our clock and theirs
_LONGEST = 4096
FIELDS = {"id", "first_name", "last_name", "username", "photo_url", "auth_date", "hash"}


def is_on() -> bool:
    return bool(settings.TELEGRAM_LOGIN and settings.TELEGRAM_BOT_TOKEN and settings.TELEGRAM_BOT_NAME)


def bot_id() -> str:
    """The part of the token that is no secret."""
    return str(settings.TELEGRAM_BOT_TOKEN).partition(":")[0]


def person_in(result: str) -> dict[str, Any]:
    """The person of a `tgAuthResult`: `id` (a number), and names where they have them. Raises TelegramNotBelieved."""
    told = _read(result)
    given = told.pop("hash")
    lines = "\n".join(sorted(f"{name}={value}" for name, value in told.items()))
    key = hashlib.sha256(settings.TELEGRAM_BOT_TOKEN.encode()).digest()
    wanted = hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(str(given).encode(), wanted.encode()):
        raise TelegramNotBelieved("signed by somebody else")
    number, at = told.get("id"), told.get("auth_date")
    if not isinstance(number, int) or not isinstance(at, int) or number <= 0:
        raise TelegramNotBelieved("nobody's")
    if not -_AHEAD <= time.time() - at <= _FRESH:
        raise TelegramNotBelieved("too old")
    if not cache.add(f"telegram:used:{wanted}", 1, _FRESH + _AHEAD + 1):
        raise TelegramNotBelieved("used before")
    return told


def _read(result: str) -> dict[str, Any]:
    if not 0 < len(result) <= _LONGEST:
        raise TelegramNotBelieved("no answer")
    try:
        told = json.loads(base64.urlsafe_b64decode(result + "=" * (-len(result) % 4)))
    except (binascii.Error, ValueError) as error:
        raise TelegramNotBelieved("garbled") from error
    if not isinstance(told, dict) or "hash" not in told or set(told) - FIELDS:
        raise TelegramNotBelieved("of another form")
    return told
