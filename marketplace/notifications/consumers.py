"""Notifications for programs: `/ws/notifications/`. Pages have the stream (`streams.py`)."""

import uuid
from typing import Any

from marketplace.core.live.socket import Data, LiveSocket
from marketplace.notifications import selectors, services
from marketplace.notifications.models import Notification


class NotificationsSocket(LiveSocket):
    """Tells a person what they are told, and takes back what they have read.

    Sent: `unread` {"count"} at the beginning and whenever it changes; `new_notification` with the notification.
    Taken: `mark_read` (also `mark_as_read`) {"id"}, `mark_all_read` {}. Each is answered by the new `unread`.
    """

    async def enter(self) -> None:
        await self.listen(f"user:{self.reader.user.pk}")
        await self._tell_unread()

    async def heard(self, topic: str, event: str, payload: dict[str, Any]) -> None:  # noqa: ARG002
        if event == "notification":
            row = await self.call(_row, self.reader.user, payload["id"])
            if row is not None:
                await self.tell("new_notification", row)
        if event in {"notification", "notifications_read"}:
            await self._tell_unread()

    async def on_mark_read(self, data: Data) -> None:
        try:
            chosen = uuid.UUID(str(data.get("id", "")))
        except ValueError as error:
            raise Notification.DoesNotExist from error
        await self.call(_mark_read, self.reader.user, chosen)

    on_mark_as_read = on_mark_read

    async def on_mark_all_read(self, _data: Data) -> None:
        await self.call(services.mark_all_read, user=self.reader.user)

    async def _tell_unread(self) -> None:
        await self.tell("unread", {"count": await self.call(selectors.unread_count, self.reader.user)})


def _mark_read(user: Any, notification_id: uuid.UUID) -> None:
    found = selectors.notifications_of(user).get(pk=notification_id)
    services.mark_read(user=user, notification_id=found.pk)


def _row(user: Any, notification_id: str) -> dict[str, Any] | None:
    found = selectors.notifications_of(user).filter(pk=notification_id).first()
    if found is None:
        return None
    return {
        "id": found.pk,
        "type": found.type.code,
        "title": found.title,
        "message": found.message,
        "action_url": found.action_url,
        "is_read": found.is_read,
        "created_at": found.created_at,
    }
