"""How a person wants to be told."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.facts import ZoneChanged
from marketplace.accounts.models import User
from marketplace.core.cache import bump, person
from marketplace.notifications import clock, selectors
from marketplace.notifications.errors import AlwaysTold
from marketplace.notifications.groups import code_of, kinds_in
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import (
    Channel,
    NotificationPreference,
    NotificationSetting,
    NotificationType,
)


@transaction.atomic
def choose(*, user: User, choices: Mapping[tuple[str, str], bool]) -> None:
    """Switch kinds on or off, by kind and channel; what is not named stays.

    Raises AlwaysTold for what cannot be off, KeyError for a kind that there is not.
    """
    if any(not is_on and selectors.is_locked(*which) for which, is_on in choices.items()):
        raise AlwaysTold(", ".join(sorted(kind for kind, _channel in choices)))
    codes = {code_of(kind): kind for kind, _channel in choices if KINDS[kind]}
    types = dict(NotificationType.objects.filter(code__in=codes).values_list("code", "pk"))
    NotificationPreference.objects.bulk_create(
        [
            NotificationPreference(user=user, type_id=types[code_of(kind)], channel=channel, is_on=is_on)
            for (kind, channel), is_on in choices.items()
        ],
        update_conflicts=True,
        unique_fields=["user", "channel", "type"],
        update_fields=["is_on"],
    )
    # The counter in the header leaves out what they do not want to see.
    bump(person(user.pk))


@transaction.atomic
def choose_groups(*, user: User, choices: Mapping[tuple[str, str], bool]) -> None:
    """Switch all of a group that can be switched on or off, by group and channel."""
    choose(
        user=user,
        choices={
            (kind, channel): is_on
            for (group, channel), is_on in choices.items()
            for kind in kinds_in(group)
            if selectors.is_free(kind, channel)
        },
    )


@transaction.atomic
def set_up(
    *,
    user: User,
    at: datetime,
    phrase: str,
    quiet_from: time | None,
    quiet_until: time | None,
    digest_hour: int | None,
) -> NotificationSetting:
    """Save phrase, quiet hours (both ends or none, and not the same) and the hour of the daily summary."""
    setting = _setting(user.pk)
    setting.phrase, setting.quiet_from, setting.quiet_until = phrase, quiet_from, quiet_until
    if digest_hour is None:
        setting.digest_hour = setting.digest_at = None
    elif digest_hour != setting.digest_hour:
        if setting.digest_hour is None:
            setting.digested_until = at  # what was there before is no news
        setting.digest_hour = digest_hour
        setting.digest_at = clock.next_digest(at, zone=user.zone, hour=digest_hour, sent_on=setting.digest_on)
    setting.save()
    return setting


@transaction.atomic
def save(*, user: User, at: datetime, groups: Mapping[tuple[str, str], bool], **times: Any) -> None:
    """What stands on the page of preferences, all or nothing: the groups that were switched, and `set_up`'s values."""
    choose_groups(user=user, choices=groups)
    set_up(user=user, at=at, **times)


@transaction.atomic
def save_types(*, user: User, at: datetime, choices: Mapping[tuple[str, str], bool], **times: Any) -> None:
    """The same by kind and channel, for programs."""
    choose(user=user, choices=choices)
    set_up(user=user, at=at, **times)


@transaction.atomic
def unsubscribe(*, user: User, group: str) -> None:
    """No more mails of this group, but for what is always told. `EVERYTHING`: none of any group, and no daily summary.

    Twice is once, so the mail program and its reader may both do it.
    """
    if group == selectors.EVERYTHING:
        setting = _setting(user.pk)
        setting.digest_hour = setting.digest_at = None
        setting.save(update_fields=["digest_hour", "digest_at"])
        groups = [one.code for one in selectors.groups_for(user)]
    else:
        groups = [group]
    choose_groups(user=user, choices={(one, Channel.EMAIL): False for one in groups})


def move_digest(fact: ZoneChanged) -> None:
    """The person's clock is another one: their summary comes at the same hour there."""
    user = User.objects.filter(pk=fact.user_id).first()
    if user is not None:
        _move_digest(user=user, at=timezone.now())


@transaction.atomic
def _move_digest(*, user: User, at: datetime) -> None:
    setting = _setting(user.pk)
    if setting.digest_hour is not None:
        setting.digest_at = clock.next_digest(
            at, zone=user.zone, hour=setting.digest_hour, sent_on=setting.digest_on
        )
        setting.save(update_fields=["digest_at"])


@transaction.atomic
def note_bounce(*, user: User, address: str, at: datetime) -> bool:
    """Their address takes no mail. Returns whether this is news."""
    setting = _setting(user.pk)
    if setting.bounced_address == address:
        return False
    setting.bounced_address, setting.bounced_at = address, at
    setting.save(update_fields=["bounced_address", "bounced_at"])
    return True


@transaction.atomic
def forget_bounce(*, user_id: UUID) -> None:
    """Try the address again."""
    NotificationSetting.objects.filter(user_id=user_id).update(bounced_address="", bounced_at=None)


def _setting(user_id: Any) -> NotificationSetting:
    """The row, made if need be, under its lock."""
    NotificationSetting.objects.get_or_create(user_id=user_id)
    return NotificationSetting.objects.select_for_update().get(user_id=user_id)
