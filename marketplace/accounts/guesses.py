"""Codes of a second factor can be guessed: wrong ones count towards the lock of sign-in, and their number is bounded besides."""

from allauth.core import ratelimit
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from marketplace.accounts.errors import LockedOut
from marketplace.accounts.models import User

# Of one account, from wherever the guesses come: who guesses codes has the password, and may have many addresses.
ACTION = "second_factor"
# Credentials of no account.
_NOBODY = {"phone": ""}


def may_try(request: HttpRequest, user: User) -> bool:
    """Whether a code may be tried now. Counts the try; `right` forgives it.

    Where the lock of django-axes holds, its middleware answers with the locked page instead.
    """
    if settings.AXES_ENABLED and not AxesProxyHandler.is_allowed(request, {"email": user.email}):
        request.axes_locked_out = True  # type: ignore[attr-defined]
        return False
    return bool(ratelimit.consume(request, action=ACTION, key=str(user.pk)))


def wrong(request: HttpRequest, user: User) -> None:
    """Count it like a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"email": user.email}, request=request)


def right(request: HttpRequest, user: User) -> None:
    ratelimit.clear(request, action=ACTION, key=str(user.pk))


def may_try_here(request: HttpRequest) -> bool:
    """Whether this network address may try a code that opens the account by itself; each such code bounds its own tries."""
    if settings.AXES_ENABLED and not AxesProxyHandler.is_allowed(request, _NOBODY):
        request.axes_locked_out = True  # type: ignore[attr-defined]
        return False
    return True


def wrong_here(request: HttpRequest) -> None:
    """Count it against the address alone: a stranger with codes of their own must not lock the owner of a number out."""
    user_login_failed.send(sender=__name__, credentials=_NOBODY, request=request)


def lock_met(request: HttpRequest) -> LockedOut | None:
    """The lock, if a failure of this request met or closed it; for the API, where a page would be the wrong answer."""
    if not settings.AXES_ENABLED or not getattr(request, "axes_locked_out", False):
        return None
    request.axes_locked_out = False  # type: ignore[attr-defined]
    return LockedOut("sign-in")
