"""Telling people what has happened: a row at once, e-mail and Telegram by jobs, all in the caller's transaction."""

import threading
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

from marketplace.accounts.models import User
from marketplace.core import dates, jobs, realtime
from marketplace.core.cache import bump, person
from marketplace.core.money import Money
from marketplace.notifications.groups import code_of
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Notification, NotificationType, validate_internal_path

type Value = str | Promise | Money | datetime
MAIL_TASK = "tasks.notifications.send_notification_email"
TELEGRAM_TASK = "tasks.notifications.send_telegram"

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

    Two statements, however many. What is of a type that is switched off is left out. What each person has chosen costs
    nothing here: the lists leave out what they do not want to see, the jobs ask before they send.
    """
    rows = [row for row in map(_worded, messages) if row]
    Notification.objects.bulk_create(rows)
    jobs.enqueue_mixed(job for row in rows for job in _jobs(row))
    for row in rows:
        bump(person(row.user_id))
        realtime.publish(f"user:{row.user_id}", "notification", {"id": str(row.pk), "title": row.title})
    return rows


def _jobs(row: Notification) -> list[tuple[str, dict[str, Any]]]:
    """What brings a notification further. The mail's job sees to Telegram as well, so most kinds need one alone."""
    words = KINDS[row.data["kind"]]
    if words.by_email:
        data = {"notification_id": str(row.pk)}
        return [(MAIL_TASK, {"user_id": str(row.user_id), "notification_data": data})]
    if words.by_telegram and settings.TELEGRAM_BOT_TOKEN:
        return [(TELEGRAM_TASK, {"notification_id": str(row.pk)})]
    return []


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
            code=code_of(kind), defaults={"name": str(words.title), "icon": words.icon}
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
