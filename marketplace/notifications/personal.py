"""What notifications know of a person (see `accounts.traces`)."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import Leaver, Part, Row, Share
from marketplace.notifications import services
from marketplace.notifications.models import (
    Notification,
    NotificationPreference,
    NotificationSetting,
    TelegramCode,
    TelegramLink,
)

_TOLD = [
    "created_at",
    "type__code",
    "title",
    "message",
    "action_url",
    "read_at",
    "emailed_at",
    "telegrammed_at",
]
_TIMES = ["quiet_from", "quiet_until", "digest_hour", "bounced_address", "bounced_at"]


def _notifications(user: User) -> Iterable[Row]:
    return Notification.objects.filter(user=user).order_by("pk").values(*_TOLD).iterator(chunk_size=500)


def _choices(user: User) -> Iterator[Row]:
    for times in NotificationSetting.objects.filter(user=user).values(*_TIMES):
        yield {"what": "times", **times}
    for link in TelegramLink.objects.filter(user=user).values("name", "chat_id", "linked_at"):
        yield {"what": "telegram", **link}
    chosen = NotificationPreference.objects.filter(user=user).order_by("pk")
    for choice in chosen.values("type__code", "channel", "is_on"):
        yield {"what": "choice", **choice}


def _forget(leaver: Leaver) -> None:
    """Staff was told of what they did; what other people were told is for the apps to say that know who they are."""
    for model in (Notification, NotificationPreference, NotificationSetting, TelegramLink, TelegramCode):
        model.objects.filter(user=leaver.user).delete()
    services.forget_name(
        name=leaver.name, readers=User.objects.filter(is_staff=True).values_list("pk", flat=True)
    )


SHARE = Share(
    app="notifications",
    parts=(
        Part(
            "notifications",
            _("What you were told, of the last 90 days."),
            ("notifications.Notification",),
            _notifications,
        ),
        Part(
            "notification_choices",
            _("What you want to be told and where, your quiet hours, and the Telegram chat."),
            (
                "notifications.NotificationPreference",
                "notifications.NotificationSetting",
                "notifications.TelegramLink",
            ),
            _choices,
        ),
    ),
    forget=_forget,
)
