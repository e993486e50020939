"""Telling people things, and noting that they have read them."""

import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from cachetools import TTLCache
from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.functional import Promise

from marketplace.accounts.facts import PersonVerified
from marketplace.accounts.models import User
from marketplace.core import dates, jobs, realtime
from marketplace.core.cache import bump, person
from marketplace.core.money import Money
from marketplace.notifications import mail
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Notification, NotificationType, validate_internal_path

type Value = str | Promise | Money | datetime
# By kind; every notification asks, and a type is switched off once in a year.
_types: TTLCache[str, tuple[int, bool]] = TTLCache(200, ttl=60)
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell a person. `kind` is a key of `kinds.KINDS`; `context` fills its words (amounts as Money, times as
    aware datetimes); `action_url` is a path within the site.
    """

    user: User
    kind: str
    context: Mapping[str, Value] = field(default_factory=dict)
    action_url: str = ""


def notify(
    *, user: User, kind: str, context: Mapping[str, Value] | None = None, action_url: str = ""
) -> Notification | None:
    """Tell one person something, as `notify_all` does. Returns None when that type is switched off."""
    told = notify_all([Message(user, kind, context or {}, action_url)])
    return told[0] if told else None


def notify_all(messages: Iterable[Message]) -> list[Notification]:
    """Tell people things, each in their language and time zone: rows and e-mail jobs in the caller's transaction.

    Two statements, however many. What is of a type that is switched off is left out.
    """
    rows = [row for row in map(_worded, messages) if row]
    Notification.objects.bulk_create(rows)
    by_email = [row for row in rows if KINDS[row.data["kind"]].by_email]
    jobs.enqueue_all("tasks.notifications.send_email", [{"notification_id": str(row.pk)} for row in by_email])
    for row in rows:
        bump(person(row.user_id))
        realtime.publish(f"user:{row.user_id}", "notification", {"id": str(row.pk), "title": row.title})
    return rows


def _worded(message: Message) -> Notification | None:
    type_id, is_active = _type_of(message.kind)
    if not is_active:
        return None
    words, user = KINDS[message.kind], message.user
    with translation.override(user.language), timezone.override(user.zone):
        values = {name: _as_text(value) for name, value in message.context.items()}
        title, text = str(words.title) % values, str(words.message) % values
    if message.action_url:
        validate_internal_path(message.action_url)
    return Notification(
        user=user,
        type_id=type_id,
        title=title[:200],
        message=text,
        data={"kind": message.kind, **values},
        action_url=message.action_url,
    )


def _as_text(value: Value) -> str:
    if isinstance(value, datetime):
        return dates.day_and_time(timezone.localtime(value))
    return str(value)


def _type_of(kind: str) -> tuple[int, bool]:
    """Id and switch of a kind's type, as they were a minute ago at most; a kind without a row yet gets one."""
    with _lock:
        known = _types.get(kind)
    if known is not None:
        return known
    words = KINDS[kind]
    with translation.override("en"):
        row, _made = NotificationType.objects.get_or_create(
            code=kind.replace("_", "-"), defaults={"name": str(words.title), "icon": words.icon}
        )
    # Never out of a transaction that may still be undone.
    transaction.on_commit(partial(_remember_type, kind, row.pk, is_active=row.is_active))
    return row.pk, row.is_active


def _remember_type(kind: str, pk: int, *, is_active: bool) -> None:
    with _lock:
        _types[kind] = pk, is_active


def forget_types() -> None:
    """Empty this process's memory (tests do)."""
    with _lock:
        _types.clear()


@transaction.atomic
def mark_read(*, user: User, notification_id: uuid.UUID) -> None:
    """Somebody else's notification is simply not found, and nothing happens."""
    bump(person(user.pk))
    realtime.publish(f"user:{user.pk}", "notifications_read", {})
    Notification.objects.filter(user=user, pk=notification_id, is_read=False).update(
        is_read=True, read_at=timezone.now()
    )


@transaction.atomic
def mark_all_read(*, user: User) -> int:
    """Returns how many were unread."""
    bump(person(user.pk))
    realtime.publish(f"user:{user.pk}", "notifications_read", {})
    return Notification.objects.filter(user=user, is_read=False).update(is_read=True, read_at=timezone.now())


def email(*, notification_id: uuid.UUID) -> None:
    """Send a notification's e-mail, unless it was sent. A mail server's error goes up to the job, which tries again."""
    notification = Notification.objects.select_related("user", "type").filter(pk=notification_id).first()
    if notification is None or notification.emailed_at or not notification.user.is_active:
        return
    words = KINDS[notification.data["kind"]]
    with translation.override(notification.user.language):
        mail.send(
            template="notification",
            to=notification.user.email,
            subject=notification.title,
            context={
                "title": notification.title,
                "text": notification.message,
                "tone": words.tone,
                "name": notification.user.display_name,
                "action": str(words.action),
                "action_url": settings.SITE_URL + notification.action_url if notification.action_url else "",
            },
        )
    Notification.objects.filter(pk=notification.pk).update(emailed_at=timezone.now())


def account_email(*, template: str, to: str, language: str, context: dict[str, Any]) -> None:
    """Send one of the account's own mails (confirmation, password reset): templates/emails/<template>."""
    with translation.override(language):
        mail.send(template=template, to=to, subject="", context=context)


def welcome(fact: PersonVerified) -> None:
    """Somebody's address is confirmed: greet them and say where to begin."""
    user = User.objects.filter(pk=fact.user_id, is_active=True).first()
    if user is not None:
        notify(user=user, kind="welcome", action_url="/")
