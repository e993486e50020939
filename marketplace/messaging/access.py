"""Who else may read a conversation: apps above say so, for messaging knows nothing of trades and disputes."""

from collections.abc import Callable
from typing import Any

from marketplace.accounts import second_factor
from marketplace.messaging.models import Conversation

type Overseer = Callable[[Any, Conversation], bool]

_overseers: list[Overseer] = []


def register(overseer: Overseer) -> None:
    """`overseer(user, conversation)`: whether this person may read it without being one of the two."""
    if overseer not in _overseers:
        _overseers.append(overseer)


def may_oversee(user: Any, conversation: Conversation) -> bool:
    """Only people of the staff are even asked about."""
    works = user.is_active and user.is_staff and not second_factor.is_missing(user)
    return works and any(one(user, conversation) for one in _overseers)
