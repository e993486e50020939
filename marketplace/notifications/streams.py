"""What pages show of notifications by themselves: the bell's counter, and a toast for what has just come."""

import uuid
from datetime import timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.core.ids import uuid7
from marketplace.core.live import topics
from marketplace.core.live.reader import Reader
from marketplace.core.live.topics import Frame
from marketplace.notifications import selectors
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Notification

# After a break, toasts for so many of those that came meanwhile; the counter has them all.
_AGAIN = 3
_AGAIN_WITHIN = timedelta(minutes=10)


def register() -> None:
    topics.show("notification", arrived)
    topics.show("notifications_read", counted)
    topics.greet(caught_up)


def arrived(reader: Reader, payload: dict[str, Any]) -> Frame | None:
    """A new notification: the counter, and a toast that leads to it."""
    found = selectors.notifications_of(reader.user).filter(pk=payload["id"]).first()
    return _frame(reader, [found]) if found else None


def counted(reader: Reader, _payload: dict[str, Any]) -> Frame:
    """Read elsewhere: the counter alone."""
    return _frame(reader, [])


def caught_up(reader: Reader, last_id: str) -> list[Frame]:
    """The counter as it is now, and toasts for what came since the last event that the reader has seen."""
    missed: list[Notification] = []
    try:
        since = uuid.UUID(last_id)
    except ValueError:
        since = None
    if since is not None:
        recent = timezone.now() - _AGAIN_WITHIN
        unread = selectors.notifications_of(reader.user).filter(is_read=False, created_at__gte=recent)
        missed = list(unread.filter(pk__gt=since)[:_AGAIN])
    return [_frame(reader, missed[::-1])]


def _frame(reader: Reader, rows: list[Notification]) -> Frame:
    told = [(row, KINDS.get(row.data.get("kind", ""))) for row in rows]
    context = {
        "header": {"unread": selectors.unread_count(reader.user)},
        "toasts": [
            (row, kind.tone if kind else "info", kind.action if kind else _("Open")) for row, kind in told
        ],
    }
    event = "notification" if rows else "notifications_read"
    # Ids sort by time: of now, when there is none to name.
    last = str(rows[-1].pk) if rows else str(uuid7())
    return Frame(event, render_to_string("notifications/_live.html", context), last)
