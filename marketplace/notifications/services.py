"""Telling people things, and noting that they have read them."""

import uuid
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise

from marketplace.accounts.facts import PersonVerified
from marketplace.accounts.models import User
from marketplace.core import jobs, realtime
from marketplace.core.cache import bump, person
from marketplace.core.money import Money
from marketplace.notifications import mail
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Notification, NotificationType

type Value = str | Promise | Money | datetime
_TYPES = "notification-types"


def notify(
    *, user: User, kind: str, context: dict[str, Value] | None = None, action_url: str = ""
) -> Notification | None:
    """Tell a person something, in their language and time zone: a row and an e-mail job in the caller's transaction.

    `kind` is a key of `kinds.KINDS`; `context` fills its words (amounts as Money, times as aware datetimes);
    `action_url` is a path within the site. Returns None when that type is switched off.
    """
    type_id, is_active = _type_of(kind)
    if not is_active:
        return None
    words = KINDS[kind]
    with translation.override(user.language), timezone.override(user.zone):
        values = {name: _as_text(value) for name, value in (context or {}).items()}
        title, message = str(words.title) % values, str(words.message) % values
    notification = Notification(
        user=user,
        type_id=type_id,
        title=title[:200],
        message=message,
        data={"kind": kind, **values},
        action_url=action_url,
    )
    notification.clean_fields(exclude=["user", "type"])
    notification.save(force_insert=True)
    if words.by_email:
        jobs.enqueue("tasks.notifications.send_email", notification_id=str(notification.pk))
    bump(person(user.pk))
    realtime.publish(
        f"user:{user.pk}", "notification", {"id": str(notification.pk), "title": notification.title}
    )
    return notification


def _as_text(value: Value) -> str:
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j E, H:i")
    return str(value)


def _type_of(kind: str) -> tuple[int, bool]:
    """Id and switch of a kind's type, from the cache; a kind without a row yet gets one."""
    types = cache.get(_TYPES)
    if types is None or kind not in types:
        words = KINDS[kind]
        with translation.override("en"):
            NotificationType.objects.get_or_create(
                code=kind.replace("_", "-"), defaults={"name": str(words.title), "icon": words.icon}
            )
        rows = NotificationType.objects.values_list("code", "pk", "is_active")
        types = {code.replace("-", "_"): (pk, is_active) for code, pk, is_active in rows}
        # Not for long, and never out of a transaction that may still be undone.
        transaction.on_commit(lambda: cache.set(_TYPES, types, 60))
    return cast("tuple[int, bool]", types[kind])


@transaction.atomic
def mark_read(*, user: User, notification_id: uuid.UUID) -> None:
    """Somebody else's notification is simply not found, and nothing happens."""
    bump(person(user.pk))
    Notification.objects.filter(user=user, pk=notification_id, is_read=False).update(
        is_read=True, read_at=timezone.now()
    )


@transaction.atomic
def mark_all_read(*, user: User) -> int:
    """Returns how many were unread."""
    bump(person(user.pk))
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
