"""Whose failures to sign in are counted together."""

from typing import Any

from django.http import HttpRequest


def account_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """The address somebody tried to sign in with, in one spelling.

    Sign-in, the admin and the question for the password before secrets each name it differently; a name that axes does
    not find would make all accounts behind one network address share a counter that no success resets.
    """
    given = credentials or request.POST
    name = next((given[key] for key in ("email", "login", "username") if given.get(key)), None)
    return str(name).strip().lower() if name else None
