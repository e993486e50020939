"""What is read is read, and what is old is forgotten."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import realtime
from marketplace.core.cache import bump, person
from marketplace.core.ids import floor_for
from marketplace.notifications.models import Notification, TelegramCode, TelegramUpdate

KEEP = timedelta(days=90)
KEEP_UPDATES = timedelta(days=2)
BATCH = 5_000


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


def forget_old(*, at: datetime) -> int:
    """Delete notifications of 90 days ago and before, read or not. Returns how many.

    By the key, which sorts by time, in batches of their own, so that nobody waits for a table that is being cleaned.
    """
    gone, people = 0, set()
    while True:
        with transaction.atomic():
            old = list(
                Notification.objects.filter(pk__lt=floor_for(at - KEEP))
                .order_by("pk")
                .values_list("pk", "user_id", "is_read")[:BATCH]
            )
            people |= {user_id for _pk, user_id, is_read in old if not is_read}
            gone += Notification.objects.filter(pk__in=[pk for pk, *_rest in old]).delete()[0]
        if len(old) < BATCH:
            break
    bump(*(person(user_id) for user_id in people))
    # What tied chats to people and has done its work.
    TelegramCode.objects.filter(expires_at__lt=at).delete()
    TelegramUpdate.objects.filter(received_at__lt=at - KEEP_UPDATES).delete()
    return gone
