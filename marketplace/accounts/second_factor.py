"""Whether a password is enough: what asks for more registers here in `AppConfig.ready()`; sign-in, payouts, staff's pages ask."""

from typing import Protocol

from django.conf import settings

from marketplace.accounts.models import User


class Factor(Protocol):
    def is_required(self, user: User) -> bool:
        """Whether this person has set the factor up."""

    def check(self, user: User, code: str) -> bool:
        """Whether the code is right, now. A code that can be used once is used up by this."""


_factors: list[Factor] = []


def register(factor: Factor) -> None:
    if factor not in _factors:
        _factors.append(factor)


def forget(factor: Factor) -> None:
    """Take it out again (tests do)."""
    _factors.remove(factor)


def is_required(user: User) -> bool:
    return any(factor.is_required(user) for factor in _factors)


def check(user: User, code: str) -> bool:
    """Whether one of the person's factors takes this code."""
    return any(factor.is_required(user) and factor.check(user, code) for factor in _factors)


def is_missing(user: User) -> bool:
    """Whether this is a member of staff who has none yet: nothing of staff's opens before (STAFF_SECOND_FACTOR)."""
    return bool(settings.STAFF_SECOND_FACTOR and user.is_staff and not is_required(user))
