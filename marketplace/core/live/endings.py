"""Saying that a sign-in has ended, so that what is open under it closes at once.

Each connection listens to its person's group. It is told to look at its own sign-in again (`recheck`), or which session
or API sign-in is over. Nothing is lost when the word does not arrive: `watch` asks for all of them regularly.
"""

import hashlib
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import transaction

from marketplace.core import courier
from marketplace.core.realtime import group

_ENDED = "live:ended:"


def person_group(user_id: object) -> str:
    """The channel-layer group of everything that one person has open."""
    return group(f"person:{user_id}")


def recheck(user_id: object) -> None:
    """Let all connections of this person prove once more that they may stay, after the commit."""
    _pass_on(user_id, {"type": "live.recheck"})


def end_session(user_id: object, session_key: str) -> None:
    """A browser signed out: close what it has open. The key itself goes nowhere."""
    _pass_on(user_id, {"type": "live.ended", "sign_in": session_mark(session_key)})


def end_sign_in(user_id: object, sign_in: str, *, seconds: float) -> None:
    """A program's sign-in is over. Its access token would be good for `seconds` more, and is refused in that time."""
    transaction.on_commit(partial(cache.set, _ENDED + sign_in, "", seconds))
    _pass_on(user_id, {"type": "live.ended", "sign_in": sign_in})


def has_ended(*sign_ins: str) -> set[str]:
    """Which of these API sign-ins are over."""
    found = cache.get_many([_ENDED + sign_in for sign_in in sign_ins if sign_in])
    return {key.removeprefix(_ENDED) for key in found}


def session_mark(session_key: str) -> str:
    """A session's name on the channel layer: tells it apart, opens nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def _pass_on(user_id: object, message: dict[str, Any]) -> None:
    named = {**message, "topic": "person", "event": message["type"]}  # what the courier's log calls it
    transaction.on_commit(partial(courier.take, (person_group(user_id), named)))
