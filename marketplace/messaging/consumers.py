"""The socket of one conversation: pages get bubbles, programs get JSON. It writes through services only."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar, Self
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string

from marketplace.core import realtime
from marketplace.core.live.socket import Data, LiveSocket
from marketplace.core.live.threads import in_thread
from marketplace.messaging import presence, selectors, services
from marketplace.messaging.errors import EmptyMessage
from marketplace.messaging.services.threads import topic
from marketplace.messaging.shown import with_words

MESSAGES = frozenset({"message_received", "message_edited", "message_deleted"})
_TOGETHER = 200


class ChatSocket(LiveSocket):
    """/ws/chat/{id}/. Only the two of the conversation get in; for everybody else it does not exist.

    Programs send `send_message` {"text", "client_id"?, "send_anyway"?}, `edit_message` {"message_id", "text"},
    `delete_message` {"message_id"}, `message_read` {"message_id"?}, `typing_start`, `typing_stop`. They are told
    `message_received`, `message_edited`, `message_deleted` (a whole message each), `message_read` {"user_id", "message_id",
    "read_at"}, `typing_start`, `typing_stop`, `user_online`, `user_offline` {"user_id"}.
    """

    uncounted: ClassVar[frozenset[str]] = frozenset({"typing_start", "typing_stop", "message_read"})

    async def enter(self) -> None:
        self.conversation_id: UUID = self.scope["url_route"]["kwargs"]["conversation_id"]
        found = await self.call(selectors.thread_of, self.reader.user, self.conversation_id)
        if found.side is None or not self.reader.user.is_verified:
            # A moderator reads the page, and nobody listens in. Who has not shown their address writes to nobody.
            raise PermissionDenied
        self.other_id = found.conversation.other_id(self.reader.user)
        await self.listen(topic(self.conversation_id))
        if await self.call(presence.arrived, self.reader.user.pk):
            await self.call(self._publish, "user_online")
        is_here = await self.call(presence.is_here, self.other_id)
        await self.tell("user_online" if is_here else "user_offline", self._about(self.other_id))

    async def left(self) -> None:
        await self.call(presence.left, self.reader.user.pk)
        await self.call(self._publish, "user_offline")

    @classmethod
    async def beat_all(cls, some: list[Self]) -> None:
        # Together, for thousands of renewals at once would stand before everybody's messages.
        for together in itertools.batched(some, _TOGETHER):
            here = [one for one in together if one.has_entered]
            await in_thread(presence.renew)([one.reader.user.pk for one in here])
            if left := [one.reader.user.pk for one in here if not one.has_entered]:
                await in_thread(presence.forget)(
                    left
                )  # meanwhile; another socket of theirs renews at the next beat

    def _publish(self, event: str) -> None:
        realtime.publish(topic(self.conversation_id), event, self._about(self.reader.user.pk))

    def _about(self, user_id: Any) -> Data:
        return {"conversation_id": str(self.conversation_id), "user_id": str(user_id)}

    # --- What clients send --------------------------------------------------------------------------

    async def on_send_message(self, data: Data) -> None:
        text = data.get("text")
        if not isinstance(text, str):
            raise EmptyMessage(repr(type(text)))
        await self.call(
            services.send,
            conversation_id=self.conversation_id,
            sender=self.reader.user,
            text=text,
            client_id=_uuid(data.get("client_id")),
            send_anyway=data.get("send_anyway") is True,
        )

    async def on_edit_message(self, data: Data) -> None:
        text = data.get("text")
        await self.call(
            services.edit,
            conversation_id=self.conversation_id,
            message_id=_uuid(data.get("message_id")),
            sender=self.reader.user,
            text=text if isinstance(text, str) else "",
            send_anyway=data.get("send_anyway") is True,
        )

    async def on_delete_message(self, data: Data) -> None:
        await self.call(
            services.take_back,
            conversation_id=self.conversation_id,
            message_id=_uuid(data.get("message_id")),
            sender=self.reader.user,
        )

    async def on_message_read(self, data: Data) -> None:
        await self.call(
            services.mark_read,
            conversation_id=self.conversation_id,
            user=self.reader.user,
            up_to=_uuid(data.get("message_id")),
        )

    async def on_typing_start(self, _data: Data) -> None:
        await self.call(
            services.typing, conversation_id=self.conversation_id, user=self.reader.user, is_typing=True
        )

    async def on_typing_stop(self, _data: Data) -> None:
        await self.call(
            services.typing, conversation_id=self.conversation_id, user=self.reader.user, is_typing=False
        )

    # --- What they are told -------------------------------------------------------------------------

    async def heard(self, topic: str, event: str, payload: Data) -> None:  # noqa: ARG002
        is_mine = payload.get("user_id") == str(self.reader.user.pk)
        if event == "user_offline" and is_mine:
            # Another of this person's sockets has closed, this one is open.
            if await self.call(presence.arrived, self.reader.user.pk):
                await self.call(self._publish, "user_online")
            return
        if is_mine and event != "message_read":
            return
        if event in MESSAGES and payload["message_type"] == "system" and not self.wants_html:
            payload = await self.call(with_words, payload)
        await self.tell(event, payload)

    def html(self, event: str, data: Data) -> str:
        if event in MESSAGES:
            return render_to_string(
                "messaging/_bubble.html", {"m": with_words(data), "me": str(self.reader.user.pk)}
            )
        return render_to_string(
            "messaging/_signal.html", {"event": event, "data": data, "me": str(self.reader.user.pk)}
        )


def _uuid(value: object) -> UUID | None:
    """A key that a client sent; None for what is none."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
