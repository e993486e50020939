"""Asking again who somebody is, before something that a stolen session must not do.

Through allauth, so that a password given anywhere counts for a few minutes everywhere, and axes counts the failures.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import reauthentication
from django.http import HttpRequest


def is_needed(request: HttpRequest) -> bool:
    """Whether the person has to give the password (or another factor) again. Never for those who have none."""
    return not reauthentication.did_recently_reauthenticate(request)


def confirm(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of the person who is signed in; remembered for a while when it is."""
    if not is_password(request, request.user, password):
        return False
    reauthentication.reauthenticate_by_password(request)
    return True


def is_password(request: HttpRequest, user: Any, password: str) -> bool:
    """Whether this is that person's password; a failure counts towards the lock."""
    return bool(password) and get_adapter(request).reauthenticate(user, password)
