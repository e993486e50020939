"""Every way in that is open: noted, followed, ended.

A browser's session carries the id of its row, so a request in it asks the database for nothing; a few times an hour it
writes when it was seen. Ending one takes away the session or the refresh token, and closes the sockets opened with it.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings

from marketplace.accounts import trail
from marketplace.accounts.devices import name_of
from marketplace.accounts.errors import TokenNotValid
from marketplace.accounts.models import SignIn, User
from marketplace.accounts.trail import Kind
from marketplace.core.live import endings
from marketplace.core.visitors import address_of

# Under this name a session keeps which row is its own: {"id", "mark", "seen"}; "" in those that are not noted.
NOTE = "sign_in"
SEEN_EVERY = timedelta(minutes=10)
KEEP_ENDED = timedelta(days=90)


# --- Browsers ---------------------------------------------------------------------------------------


class FollowMiddleware:
    """Notes a browser that has signed in, however that was done, and from time to time that it is still there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Asking a session costs a query and forbids caching: only where one came, or has just been made.
        if settings.SESSION_COOKIE_NAME in request.COOKIES or request.session.modified:
            _follow(request)
        return response


def _follow(request: HttpRequest) -> None:
    session = request.session
    user_id = session.get(SESSION_KEY)
    note = session.get(NOTE)
    if not user_id or note == "":
        return
    now = timezone.now()
    if session.session_key is None:
        session.save()
    mark = endings.session_mark(str(session.session_key))
    if note and note["mark"] == mark and now.timestamp() - note["seen"] < SEEN_EVERY.total_seconds():
        return
    if note and _has_had_its_time(note, now):
        session.flush()
        return
    row_id = _written(request, user_id, note, mark, now)
    if row_id:
        session[NOTE] = {"id": str(row_id), "mark": mark, "seen": int(now.timestamp())}


def _has_had_its_time(note: dict[str, Any], now: datetime) -> bool:
    """Whether this sign-in is too old to go on, however much it is used; then it is ended."""
    old = SignIn.objects.filter(pk=note["id"], created_at__lte=now - settings.SIGN_IN_AT_MOST)
    return bool(_end(old.filter(ended_at__isnull=True)))


def _written(
    request: HttpRequest, user_id: str, note: dict[str, Any] | None, mark: str, now: datetime
) -> uuid.UUID | None:
    """The row of this session; None when it was ended while the request was under way."""
    values = {
        "session_key": request.session.session_key,
        "device": name_of(request.headers.get("User-Agent", "")),
        "address": address_of(request) or None,
        "seen_at": now,
        "expires_at": request.session.get_expiry_date(),
    }
    if note:
        own = SignIn.objects.filter(pk=note["id"], user_id=user_id)
        # A session gets another key with a new password; the row goes along.
        if own.filter(ended_at__isnull=True).update(mark=mark, **values):
            return uuid.UUID(note["id"])
        # Ended: the session is gone, unless it was given another key within this very request.
        if note["mark"] == mark and own.exists():
            return None
    row, _made = SignIn.objects.get_or_create(
        mark=mark, defaults={"user_id": user_id, "kind": SignIn.Kind.BROWSER, **values}
    )
    return row.pk


def leave_unnoted(*, request: HttpRequest | None = None, **_signal: Any) -> None:
    """A session made by no request (a test's, a command's) is nobody's browser. Receives Django's `user_logged_in`."""
    if request is not None and request.method is None:
        request.session[NOTE] = ""


def note_sign_out(*, request: HttpRequest | None = None, user: Any = None, **_signal: Any) -> None:
    """Receives Django's `user_logged_out`, which comes before the session is forgotten."""
    note = getattr(request, "session", {}).get(NOTE)
    if note and user is not None:
        SignIn.objects.filter(pk=note["id"], ended_at__isnull=True).update(
            ended_at=timezone.now(), session_key=None
        )


def current(request: HttpRequest) -> uuid.UUID | None:
    """The row of the browser that asks."""
    note = request.session.get(NOTE)
    return uuid.UUID(note["id"]) if note else None


# --- Programs ---------------------------------------------------------------------------------------


def note_program(*, user: User, sign_in: str, expires_at: datetime, device: str, address: str) -> None:
    """A program has got a first pair of tokens. `sign_in` is the `sid` of all that follow."""
    SignIn.objects.create(
        user=user,
        kind=SignIn.Kind.PROGRAM,
        mark=sign_in,
        device=device,
        address=address or None,
        expires_at=expires_at,
    )


def renew_program(*, user: User, sign_in: str, expires_at: datetime, device: str, address: str) -> None:
    """A program exchanges its refresh token; one that has none of our rows yet gets it. Raises TokenNotValid once it is ended."""
    row = SignIn.objects.select_for_update().filter(mark=sign_in).first()
    if row is None:
        note_program(user=user, sign_in=sign_in, expires_at=expires_at, device=device, address=address)
        return
    if row.ended_at is not None or row.created_at <= timezone.now() - settings.SIGN_IN_AT_MOST:
        raise TokenNotValid("this sign-in was ended")
    row.seen_at, row.expires_at = timezone.now(), expires_at
    row.address = address or row.address
    row.save(update_fields=["seen_at", "expires_at", "address"])


# --- Ending -----------------------------------------------------------------------------------------


@transaction.atomic
def end(*, user: User, sign_in_id: uuid.UUID) -> bool:
    """End one of this person's. Whether there was anything to end."""
    return _told(user, _end(_open_of(user).filter(pk=sign_in_id))) > 0


@transaction.atomic
def end_all(*, user: User, but: uuid.UUID | None = None) -> int:
    """End all of this person's, but the one that is named. Returns how many."""
    return _told(user, _end(_open_of(user).exclude(pk=but)))


def _told(user: User, count: int) -> int:
    if count:
        trail.record(Kind.SESSION_ENDED, user=user, count=count)
    return count


@transaction.atomic
def end_program(*, user_id: uuid.UUID | str, sign_in: str) -> None:
    """A program signs out with its own token."""
    if not _end(SignIn.objects.filter(user_id=user_id, mark=sign_in, ended_at__isnull=True)):
        _close_program(user_id, sign_in)


def _open_of(user: User) -> Any:
    # One that has run out is ended too: a session whose life was stretched since must not stay.
    return SignIn.objects.select_for_update().filter(user=user, ended_at__isnull=True).order_by("pk")


def _end(rows: Iterable[SignIn]) -> int:
    found = list(rows)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for row in found:
        if row.kind == SignIn.Kind.PROGRAM:
            _close_program(row.user_id, row.mark)
        elif row.session_key:
            # At once, not after the commit: if it came to no commit, somebody would sign in again, which is no harm.
            store(row.session_key).delete()
            endings.end_session(row.user_id, row.session_key)
    SignIn.objects.filter(pk__in=[row.pk for row in found]).update(ended_at=timezone.now(), session_key=None)
    return len(found)


def _close_program(user_id: uuid.UUID | str, sign_in: str) -> None:
    endings.end_sign_in(user_id, sign_in, seconds=api_settings.ACCESS_TOKEN_LIFETIME.total_seconds())


def forget_old(*, at: datetime) -> int:
    """Forget what was over three months ago. Returns how many rows went."""
    return SignIn.objects.filter(expires_at__lt=at - KEEP_ENDED).delete()[0]
