"""Who is at the other end of a connection, and whether they may still be there."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language_from_request

from marketplace.core import password_marks
from marketplace.core.live.endings import has_ended, session_mark
from marketplace.core.live.tickets import Grant
from marketplace.core.visitors import address_of


@dataclass(frozen=True, slots=True)
class Reader:
    """A person with a session or a ticket, or a visitor; `sign_in` is what `endings` calls it by."""

    user: Any
    language: str
    zone: ZoneInfo
    address: str
    sign_in: str = ""
    session_key: str = field(default="", repr=False)
    grant: Grant | None = field(default=None, repr=False)

    @property
    def is_signed_in(self) -> bool:
        return bool(self.user.is_authenticated)

    @property
    def came_by(self) -> str:
        """ "session", "ticket" or "visit"."""
        if self.grant is not None:
            return "ticket"
        return "session" if self.is_signed_in else "visit"


def visitor(request: HttpRequest) -> Reader:
    """Somebody who shows nothing."""
    zone = ZoneInfo(settings.DEFAULT_USER_TIME_ZONE)
    return Reader(AnonymousUser(), get_language_from_request(request), zone, address_of(request))


def from_session(request: HttpRequest, session_key: str) -> Reader:
    """The person of a browser's session; a visitor when it is of nobody."""
    data = _session(session_key)
    user = _people([data.get(SESSION_KEY, "")]).get(str(data.get(SESSION_KEY, "")))
    if user is None or not _is_of(data, user):
        return visitor(request)
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    language = get_language_from_request(request) if chosen else user.language
    return Reader(
        user,
        language,
        user.zone,
        address_of(request),
        sign_in=session_mark(session_key),
        session_key=session_key,
    )


def from_grant(grant: Grant, *, address: str) -> Reader | None:
    """The person a ticket was given to, if they may still come in."""
    user = _people([grant.user_id]).get(grant.user_id)
    if user is None:
        return None
    reader = Reader(user, grant.language, user.zone, address, sign_in=grant.sign_in, grant=grant)
    return reader if _may_stay(reader, user, has_ended(grant.sign_in)) else None


def gone(readers: Iterable[Reader]) -> list[Reader]:
    """Those who may not stay: signed out, switched off, closed, a new password, a session or token that ran out.

    One query for all people and one look-up for all API sign-ins; a session is read each for itself.
    """
    people = [reader for reader in readers if reader.is_signed_in]
    users = _people(reader.user.pk for reader in people)
    ended = has_ended(*(reader.sign_in for reader in people if reader.grant))
    return [reader for reader in people if not _may_stay(reader, users.get(str(reader.user.pk)), ended)]


def _may_stay(reader: Reader, user: Any, ended: set[str]) -> bool:
    if user is None:
        return False
    grant = reader.grant
    if grant is None:
        return _is_of(_session(reader.session_key), user)
    return (
        grant.until > time.time()
        and grant.sign_in not in ended
        and password_marks.is_of(user, grant.password_mark)
    )


def _people(keys: Iterable[object]) -> dict[str, Any]:
    """Those of these people who may come in, by key."""
    try:
        found = get_user_model()._default_manager.filter(
            pk__in={str(key) for key in keys if key}, is_active=True, deleted_at__isnull=True
        )
        return {str(user.pk): user for user in found}
    except (ValueError, ValidationError):  # a session of another kind of key
        return {}


def _session(key: str) -> dict[str, Any]:
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return dict(store.load()) if key else {}


def _is_of(session: dict[str, Any], user: Any) -> bool:
    """As django.contrib.auth.get_user decides it, but without touching the session: a socket cannot set cookies."""
    if (
        session.get(SESSION_KEY) != str(user.pk)
        or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS
    ):
        return False
    mark = session.get(HASH_SESSION_KEY, "")
    marks = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(mark, one) for one in marks)
