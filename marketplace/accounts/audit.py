"""What Django, allauth and axes tell by their signals, and the trail has no other way to learn; and what follows of some.

The receivers run in the transaction of what they tell wherever there is one (`urls_of_allauth` sees to that).
"""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from marketplace.accounts import lockout, services, sign_ins, trail
from marketplace.accounts.models import SecurityEvent, User
from marketplace.accounts.trail import Kind
from marketplace.core.api.errors import is_api

Type = Authenticator.Type


# --- In and out -------------------------------------------------------------------------------------


def note_sign_in(*, user: User, request: HttpRequest | None = None, **_signal: Any) -> None:
    """Receives Django's `user_logged_in`. Programs are told of where their tokens are made."""
    if request is None or request.method is None or is_api(request):
        return
    by = [one["method"] for one in get_authentication_records(request, user)]
    trail.record(Kind.SIGNED_IN, user=user, actor=user, by=by)


def note_sign_out(*, user: User | None = None, **_signal: Any) -> None:
    """Receives Django's `user_logged_out`."""
    if user is not None:
        trail.record(Kind.SIGNED_OUT, user=user, actor=user, by="page")


def note_failure(
    *, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any
) -> None:
    """Receives Django's `user_login_failed`, of wrong passwords and (from `guesses`) of wrong codes.

    Of a name that is nobody's only a digest is kept: people type their password there.
    """
    name = lockout.typed_name(request, credentials)
    what = "code" if sender == "marketplace.accounts.guesses" else "password"
    asking = getattr(request, "user", None)
    if asking is not None and asking.is_authenticated:
        trail.record_failure(Kind.STEP_UP_FAILED, user=asking, what=what)
        return
    user = User.objects.filter(email=name).first() if name else None
    tried: dict[str, Any] = {} if user or not name else {"tried": trail.digest(name)}
    trail.record_failure(Kind.SIGN_IN_FAILED, user=user, what=what, **tried)


def note_lock(*, username: str | None = None, ip_address: str | None = None, **_signal: Any) -> None:
    """Receives axes' `user_locked_out`, of the try that closes a lock and of each that meets it closed.

    Those that meet it are told as failures, like others; the lock itself once for as long as it holds by itself.
    """
    user = User.objects.filter(email=username).first() if username else None
    told = SecurityEvent.objects.filter(kind=Kind.LOCKED, user=user)
    if user is None:
        told = told.filter(address=ip_address or None)
    if not told.filter(at__gt=timezone.now() - settings.AXES_COOLOFF_TIME).exists():
        trail.record_failure(Kind.LOCKED, user=user)


def note_step_up(*, user: User, method: str = "", reauthenticated: bool = False, **_signal: Any) -> None:
    """Receives allauth's `authentication_step_completed`: of signing in as well, which is told elsewhere."""
    if reauthenticated:
        trail.record(Kind.STEP_UP_CONFIRMED, user=user, actor=user, by=method)


# --- Keys -------------------------------------------------------------------------------------------


def note_password(user: User) -> None:
    """A password was set past our services: by a command, a shell or the form of the admin that adds people."""
    services.remember_password(user=user)
    sign_ins.end_all(user=user)
    trail.record(Kind.PASSWORD_SET_BY_STAFF, user=user)


def note_factor(*, instance: Authenticator, created: bool = False, **_signal: Any) -> None:
    """Receives `post_save` of a factor. A new one ends the sign-ins elsewhere: whoever sits there has not shown it."""
    if created and instance.type == Type.RECOVERY_CODES:
        trail.record(Kind.RECOVERY_GENERATED, user=instance.user_id)
    elif created:
        trail.record(Kind.FACTOR_ADDED, user=instance.user_id, factor=instance.type)
        end_elsewhere(instance.user)


def note_factor_gone(*, instance: Authenticator, **_signal: Any) -> None:
    """Receives `post_delete` of a factor."""
    if instance.type != Type.RECOVERY_CODES:
        trail.record(Kind.FACTOR_REMOVED, user=instance.user_id, factor=instance.type)
        end_elsewhere(instance.user)


def note_use(*, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """Receives allauth's `authenticator_used`; `factors` calls it for what is checked past allauth."""
    is_recovery = authenticator.type == Type.RECOVERY_CODES
    kind = Kind.RECOVERY_USED if is_recovery else Kind.FACTOR_USED
    trail.record(kind, user=user, factor=authenticator.type)


def note_email_added(*, user: User, email_address: EmailAddress, **_signal: Any) -> None:
    trail.record(Kind.EMAIL_ADDED, user=user, to=trail.digest(email_address.email))


def note_email_removed(*, user: User, email_address: EmailAddress, **_signal: Any) -> None:
    trail.record(Kind.EMAIL_REMOVED, user=user, email=trail.digest(email_address.email))


def note_email_changed(
    *,
    user: User,
    to_email_address: EmailAddress,
    from_email_address: EmailAddress | None = None,
    **_signal: Any,
) -> None:
    """Receives allauth's `email_changed`: the address that signs in is another one. Sign-ins elsewhere end."""
    was: dict[str, Any] = {"was": trail.digest(from_email_address.email)} if from_email_address else {}
    trail.record(Kind.EMAIL_CHANGED, user=user, to=trail.digest(to_email_address.email), **was)
    end_elsewhere(user)


def end_elsewhere(user: User) -> None:
    """End this person's sign-ins but the browser that asks, where it is theirs (staff keep nothing of theirs open)."""
    asking = allauth_context.request
    is_theirs = asking is not None and getattr(asking, "user", None) == user
    sign_ins.end_all(user=user, but=sign_ins.current(asking) if is_theirs else None)
