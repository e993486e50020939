"""Reads: what a person was told."""

from typing import Any

from django.db.models import QuerySet

from marketplace.notifications.models import Notification


def notifications_of(user: Any) -> QuerySet[Notification]:
    """A person's notifications with their types, newest first."""
    return Notification.objects.filter(user=user).select_related("type").order_by("-id")


def unread_count(user: Any) -> int:
    return Notification.objects.filter(user=user, is_read=False).count()
