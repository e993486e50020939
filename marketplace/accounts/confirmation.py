"""Asking again who somebody is, before something that a stolen session must not do: the one place for it.

The password, a code of the second factor, a passkey or a connected account elsewhere will do. It goes through allauth, so that
what was given anywhere counts for a few minutes everywhere (ACCOUNT_REAUTHENTICATION_TIMEOUT), and failures count towards the
lock of sign-in. A page that has room for the question uses `forms.ConfirmationForm`; any other view calls `must_be_fresh` once
it knows that the thing is theirs, and goes on by itself when a page of its own has asked.
"""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.login import record_authentication as record
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest

from marketplace.accounts import guesses, second_factor
from marketplace.accounts.models import User
from marketplace.accounts.selectors import person


def is_needed(request: HttpRequest, *, by_factor: bool = False) -> bool:
    """Whether the person has to say again who they are. Who has nothing to say it with sets a password first, by a letter.

    `by_factor`: of those who have a second factor, the password alone is not enough.
    """
    user = person(request)
    lately = _said_lately(request)
    if by_factor and second_factor.is_required(user):
        return "mfa" not in lately
    return not lately


def confirm(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of the person who is signed in; remembered for a while when it is."""
    if not is_password(request, request.user, password):
        return False
    reauthentication.reauthenticate_by_password(request)
    return True


def confirm_by_code(request: HttpRequest, code: str) -> bool:
    """Whether a factor of the person who is signed in takes this code; remembered for a while when it does."""
    user = person(request)
    if not is_code(request, user, code):
        return False
    record(request, user, "mfa", reauthenticated=True)
    return True


def is_password(request: HttpRequest, user: Any, password: str) -> bool:
    """Whether this is that person's password; a failure counts towards the lock."""
    return bool(password) and get_adapter(request).reauthenticate(user, password)


def is_code(request: HttpRequest, user: User, code: str) -> bool:
    """Whether a factor of that person takes this code, which is used up; a failure counts towards the lock."""
    if not code or not guesses.may_try(request, user):
        return False
    if not second_factor.check(user, code):
        guesses.wrong(request, user)
        return False
    guesses.right(request, user)
    return True


def must_be_fresh(request: HttpRequest) -> None:
    """Have allauth's page ask, unless it was said a moment ago; then the same request goes on by itself, a POST too."""
    if is_needed(request):
        raise ReauthenticationRequired


def _said_lately(request: HttpRequest) -> set[str]:
    """How: "password", "mfa", "socialaccount" (allauth's words). Signing in does not count: a stolen session has done it too."""
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return {
        one["method"]
        for one in get_authentication_records(request, person(request))
        if one.get("reauthenticated") and one["at"] > since
    }
