"""The audit trail: who came in, changed a key or looked at what is somebody's own, when and from where.

An event is a row of the transaction that does what it tells, so neither is there without the other. What has failed is told
even if its transaction is rolled back. Nothing secret is handed in here: names of fields, never what was in them.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connection, models, transaction
from django.utils.crypto import salted_hmac

from marketplace.accounts.devices import program_name
from marketplace.accounts.models import SecurityEvent, User
from marketplace.core.visitors import caller

Kind = SecurityEvent.Kind

# The law of the table (migration 0005): nothing that is younger can be deleted, by nobody.
KEPT_AT_LEAST = timedelta(days=30)
_AT_ONCE = 1000


def record(
    kind: Kind,
    *,
    user: User | uuid.UUID | None,
    actor: User | None = None,
    about: models.Model | None = None,
    **context: Any,
) -> None:
    """Note what has happened to `user`, in the caller's transaction. `actor` is who is signed in, unless it is named.

    `context` is small and holds no secret; `about` is the thing that was touched.
    """
    _event(kind, user, actor, about, context).save(force_insert=True)


def record_look(
    kind: Kind, *, people: Iterable[User | uuid.UUID], actor: User, about: models.Model, **context: Any
) -> None:
    """Note that staff looks at what belongs to each of these people."""
    SecurityEvent.objects.bulk_create(_event(kind, one, actor, about, context) for one in people)


def record_failure(
    kind: Kind, *, user: User | uuid.UUID | None, actor: User | None = None, **context: Any
) -> None:
    """Note what somebody has tried in vain; it stays when the request's transactions are rolled back."""
    event = _event(kind, user, actor, None, context)
    calling = caller.get()
    if connection.in_atomic_block and calling is not None:
        calling.afterwards.append(lambda: _write_if_missing(event))
    if not connection.needs_rollback:
        event.save(force_insert=True)


def digest(text: str) -> str:
    """What stands for words that somebody has typed: the same for the same words, and nobody without our key reads it."""
    return salted_hmac("accounts.trail", text.strip().lower(), algorithm="sha256").hexdigest()[:32]


def forget_old(*, at: datetime) -> int:
    """Delete what is older than SECURITY_EVENTS_KEPT, batch by batch. Returns how many went."""
    old = SecurityEvent.objects.filter(at__lt=at - settings.SECURITY_EVENTS_KEPT).order_by("at")
    forgotten = 0
    while batch := list(old.values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            _open_law()
            forgotten += SecurityEvent.objects.filter(pk__in=batch).delete()[0]
            _close_law()
    return forgotten


def check_settings(**_kwargs: Any) -> list[CheckMessage]:
    """Registered with `manage.py check`."""
    if settings.SECURITY_EVENTS_KEPT >= KEPT_AT_LEAST:
        return []
    text = (
        f"SECURITY_EVENTS_KEPT_DAYS is less than {KEPT_AT_LEAST.days}: the database lets no event go before."
    )
    return [Error(text, id="accounts.E001")]


def _event(
    kind: Kind,
    user: User | uuid.UUID | None,
    actor: User | None,
    about: models.Model | None,
    context: dict[str, Any],
) -> SecurityEvent:
    calling = caller.get()
    if actor is None and calling is not None:
        actor = calling.person
    return SecurityEvent(
        kind=kind,
        user_id=user.pk if isinstance(user, User) else user,
        actor_id=actor.pk if actor else None,
        address=(calling.address or None) if calling else None,
        device=program_name(calling.agent)[:60] if calling else "",
        object_type=about._meta.label_lower if about else "",
        object_id=str(about.pk) if about else "",
        context=context,
    )


def _write_if_missing(event: SecurityEvent) -> None:
    if not SecurityEvent.objects.filter(pk=event.pk).exists():
        event.save(force_insert=True)


def _open_law() -> None:
    """Within this transaction what is old enough may be deleted."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL wibestore.trail_clean_up = 'on'")
        else:
            cursor.execute("INSERT INTO accounts_trail_clean_up (is_open) VALUES (1)")


def _close_law() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL wibestore.trail_clean_up = 'off'")
        else:
            cursor.execute("DELETE FROM accounts_trail_clean_up")
