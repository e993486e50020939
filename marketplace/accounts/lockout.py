"""Whose failures to sign in are counted together, and what ends a lock before its time.

Five failures within a quarter of an hour lock an account for everybody but those who sign in from a network address where
this account was signed in before, and lock the address for all accounts. So nobody guesses one account from many addresses nor
many accounts from one, and a stranger who fails on purpose does not keep the owner out: they come in from home, or by a new
password, whose mail only they read. Only the right password of that very account forgives its failures; an attacker who signs
in to their own forgives nothing.
"""

import re
from datetime import timedelta
from typing import Any

from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from marketplace.accounts import trail
from marketplace.accounts.models import User
from marketplace.core.limits import too_many
from marketplace.core.visitors import address_of

# So long an address stays one of the account's own.
_AT_HOME = timedelta(days=90)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def account_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """The address somebody tried to sign in with, in one spelling.

    Sign-in, the admin and the question for the password before secrets each name it differently; a name that axes does
    not find would make all accounts behind one network address share a counter that no success resets.
    """
    name = typed_name(request, credentials)
    # People type their password where their address belongs: what is none is counted, but not kept.
    return name if name is None or _ADDRESS.fullmatch(name) else f"digest {trail.digest(name)}"


def typed_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """The same as it was typed."""
    given = credentials or (request.POST if request is not None else {})
    name = next((given[key] for key in ("email", "login", "username") if given.get(key)), None)
    return str(name).strip().lower() if name else None


def counted_by(request: Any, credentials: dict[str, Any] | None = None) -> list[str]:
    """What axes counts a try by; it asks with the request, or with the row of an earlier failure."""
    if isinstance(request, HttpRequest):
        name, address = get_client_username(request, credentials), address_of(request)
    else:
        name, address = request.username, request.ip_address
    return ["ip_address"] if name is None or _is_at_home(name, address) else ["username", "ip_address"]


def described(username: str | None, ip_address: str, *_more: Any) -> str:
    """How axes calls a caller in the log: no address of a person stands there."""
    return f"{ip_address} ({trail.digest(username) if username else 'no name'})"


def forgive(*, user: User, **_signal: Any) -> None:
    """Forget the failures at this account: its owner has just shown to be the owner."""
    AccessAttempt.objects.filter(username=user.email.lower()).delete()


def locked_out(request: HttpRequest, *_args: Any) -> HttpResponse:
    """What somebody is shown whom axes keeps out."""
    return too_many(request, int(settings.AXES_COOLOFF_TIME.total_seconds()))


def _is_at_home(name: str, address: str) -> bool:
    since = timezone.now() - _AT_HOME
    return (
        bool(address)
        and AccessLog.objects.filter(username=name, ip_address=address, attempt_time__gte=since).exists()
    )
