"""Reads: what a person was told, and how they want to be told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import Count, QuerySet

from marketplace.accounts.models import User
from marketplace.notifications.groups import COMPULSORY, GROUPS, Group, code_of, group_of, kind_of, kinds_in
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import (
    Channel,
    Notification,
    NotificationPreference,
    NotificationSetting,
    TelegramCode,
    TelegramLink,
)

_SALT = "notifications.unsubscribe"
# Stands for the daily summary, and for all that can be switched off, in a link that unsubscribes.
EVERYTHING = "digest"


def _shown(user: Any) -> QuerySet[Notification]:
    """Without what the person does not want to see on the site."""
    off = NotificationPreference.objects.filter(user=user, channel=Channel.APP, is_on=False)
    return Notification.objects.filter(user=user).exclude(type__in=off.values("type"))


def notifications_of(user: Any) -> QuerySet[Notification]:
    """A person's notifications with their types, newest first."""
    return _shown(user).select_related("type").order_by("-id")


def in_group(notifications: QuerySet[Notification], group: str) -> QuerySet[Notification]:
    return notifications.filter(type__code__in=[code_of(kind) for kind in kinds_in(group)])


def unread_count(user: Any) -> int:
    return _shown(user).filter(is_read=False).count()


def unread_by_group(user: Any) -> dict[str, int]:
    """How many are unread, by group; one query."""
    counts: dict[str, int] = {}
    found = _shown(user).filter(is_read=False).order_by().values_list("type__code").annotate(Count("pk"))
    for code, number in found:
        group = group_of_type(code)
        counts[group] = counts.get(group, 0) + number
    return counts


def group_of_type(code: str) -> str:
    """The group of a type's code; of one that no kind knows any more the account's."""
    try:
        return group_of(kind_of(code))
    except KeyError:
        return "account"


def groups_for(user: User) -> list[Group]:
    """The groups that this person can be told of and has any kinds."""
    return [
        group
        for group in GROUPS.values()
        if (user.is_staff or not group.is_for_staff) and kinds_in(group.code)
    ]


# --- What they chose --------------------------------------------------------------------------------


def setting_of(user: Any) -> NotificationSetting:
    """How this person wants to be told; unsaved where they never chose."""
    found = NotificationSetting.objects.filter(user=user).first()
    return found or NotificationSetting(user_id=user.pk)


def choices_of(user: Any) -> dict[tuple[str, str], bool]:
    """What is on, by kind and channel, for every kind there is; one query."""
    chosen = {
        (kind_of(code), channel): is_on
        for code, channel, is_on in NotificationPreference.objects.filter(user=user).values_list(
            "type__code", "channel", "is_on"
        )
    }
    return {
        (kind, channel): is_locked(kind, channel) or chosen.get((kind, channel), True)
        for kind in KINDS
        for channel in Channel.values
    }


def is_locked(kind: str, channel: str) -> bool:
    """Whether this kind is always told on this channel. Telegram never is: who disconnects it is told by mail."""
    return kind in COMPULSORY and channel != Channel.TELEGRAM


def is_free(kind: str, channel: str) -> bool:
    """Whether people may switch this kind on or off on this channel."""
    return reaches(kind, channel) and not is_locked(kind, channel)


def reaches(kind: str, channel: str) -> bool:
    """Whether this kind is ever told on this channel."""
    words = KINDS[kind]
    return {Channel.EMAIL: words.by_email, Channel.TELEGRAM: words.by_telegram}.get(Channel(channel), True)


def wants(notification: Notification, channel: Channel) -> bool:
    """Whether its reader wants it there."""
    if is_locked(notification.data["kind"], channel):
        return True
    off = NotificationPreference.objects.filter(
        user_id=notification.user_id, type_id=notification.type_id, channel=channel, is_on=False
    )
    return not off.exists()


def in_group_on(choices: Mapping[tuple[str, str], bool], group: str, channel: str) -> bool | None:
    """Whether anything of the group that can be switched is on there; None where nothing can be switched."""
    free = [kind for kind in kinds_in(group) if is_free(kind, channel)]
    return any(choices[kind, channel] for kind in free) if free else None


def is_ever_told(group: str, channel: str) -> bool:
    """Whether anything of the group comes there at all."""
    return any(reaches(kind, channel) for kind in kinds_in(group))


def telegram_of(user: Any) -> TelegramLink | None:
    return TelegramLink.objects.filter(user=user).first()


def waits_for_telegram(user: Any, *, at: datetime) -> bool:
    """Whether a code of theirs can still be used."""
    return TelegramCode.objects.filter(user=user, used_at__isnull=True, expires_at__gt=at).exists()


# --- Links that unsubscribe -------------------------------------------------------------------------


def unsubscribe_token(user_id: UUID, group: str) -> str:
    """What a mail carries, so that its reader can stop such mails without signing in. It opens nothing else."""
    return signing.dumps([user_id.hex, group], salt=_SALT)


def read_token(token: str) -> tuple[User, str] | None:
    """Whose mails, and of which group (or EVERYTHING). None for what we never signed, and for those who are gone."""
    try:
        user_id, group = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if group not in GROUPS and group != EVERYTHING:
        return None
    user = User.objects.alive().filter(pk=user_id, is_active=True).first()
    return (user, group) if user else None
