"""The daily summary: what was unread, in one mail, at the hour the person chose, on their clock."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from marketplace.core import dates, jobs
from marketplace.notifications import clock, selectors
from marketplace.notifications.models import (
    Channel,
    Notification,
    NotificationPreference,
    NotificationSetting,
)
from marketplace.notifications.services import letters

TASK = "tasks.notifications.send_digest"
BATCH = 500
SHOWN = 30


def sweep_digests(*, at: datetime) -> int:
    """Queue the summaries that are due. Returns how many.

    Each is one transaction: the row moves on to its next day and the job is written together, by whoever comes first. So
    two sweepers queue one, a crash queues none twice, and days that were slept through are not made up for.
    """
    due = NotificationSetting.objects.filter(digest_at__lte=at, user__is_active=True).select_related("user")
    return sum(_queue(setting, at) for setting in due.order_by("digest_at")[:BATCH])


@transaction.atomic
def _queue(setting: NotificationSetting, at: datetime) -> bool:
    zone = setting.user.zone
    today = at.astimezone(zone).date()
    hour = setting.digest_hour
    if hour is None:
        return False
    is_due = setting.digest_on is None or setting.digest_on < today
    then = clock.next_digest(at, zone=zone, hour=hour, sent_on=today)
    moved = NotificationSetting.objects.filter(pk=setting.pk, digest_at=setting.digest_at, digest_hour=hour)
    changes = {"digest_on": today, "digested_until": at} if is_due else {}
    if not moved.update(digest_at=then, **changes) or not is_due:
        return False
    since = setting.digested_until or setting.user.created_at
    jobs.enqueue(
        TASK,
        key=f"digest:{setting.pk}:{today}",
        user_id=str(setting.pk),
        since=since.isoformat(),
        until=at.isoformat(),
    )
    return True


def send_digest(*, user_id: UUID, since: datetime, until: datetime) -> bool:
    """Mail one person what they were told in that time and have not read by now. Nothing new is no mail.

    Returns whether a mail went. A mail server's trouble goes up to the job, which tries again.
    """
    setting = NotificationSetting.objects.select_related("user").filter(pk=user_id).first()
    if setting is None or not setting.user.is_active:
        return False
    user = setting.user
    off = NotificationPreference.objects.filter(user=user, channel=Channel.EMAIL, is_on=False)
    unread = (
        selectors.notifications_of(user)
        .filter(is_read=False, created_at__gt=since, created_at__lte=until)
        .exclude(type__in=off.values("type"))
    )
    count = unread.count()
    if not count:
        return False
    with translation.override(user.language), timezone.override(user.zone):
        title = ngettext(
            "%(count)s notification waits for you", "%(count)s notifications wait for you", count
        ) % {"count": count}
        return letters.to_person(
            user=user,
            template="digest",
            subject=title,
            context={
                "title": title,
                "name": user.display_name,
                "items": [_line(one) for one in unread[:SHOWN]],
                "more": max(0, count - SHOWN),
                "list_url": f"{settings.SITE_URL}{reverse('notifications:list')}?show=unread",
            },
            unsubscribe=selectors.EVERYTHING,
            message_id=f"digest-{user.pk}-{until:%Y%m%d%H%M}",
        )


def _line(notification: Notification) -> dict[str, object]:
    return {
        "title": notification.title,
        "text": notification.message,
        "time": dates.day_and_time(timezone.localtime(notification.created_at)),
    }
