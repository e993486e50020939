"""A message as it is told: one shape for pages, sockets and the API, so that no event has to be read again."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from marketplace.messaging import cards
from marketplace.messaging.models import Message


def as_data(message: Message) -> dict[str, Any]:
    """Everything both people may know of a message, as JSON can carry it. `sender_name` needs the sender: join it.

    `text` of a step of a trade is left to the reader's side, see `with_words`.
    """
    has_file = bool(message.attachment)
    return {
        "id": str(message.pk),
        "conversation_id": str(message.conversation_id),
        "client_id": str(message.client_id),
        "sender_id": str(message.sender_id) if message.sender_id else None,
        "sender_name": message.sender.display_name if message.sender else None,
        "message_type": message.kind,
        "text": message.text,
        "data": message.data,
        "attachment": {
            "name": message.attachment_name,
            "content_type": message.attachment_type,
            "size": message.attachment_size,
            "width": message.width,
            "height": message.height,
            "url": reverse("messaging:attachment", args=[message.conversation_id, message.pk]),
        }
        if has_file
        else None,
        "is_read": message.is_read,
        "read_at": message.read_at.isoformat() if message.read_at else None,
        "edited_at": message.edited_at.isoformat() if message.edited_at else None,
        "is_deleted": message.is_deleted,
        "created_at": message.created_at.isoformat(),
    }


def with_words(data: dict[str, Any]) -> dict[str, Any]:
    """The same for one reader: a step of a trade in their language."""
    if data["message_type"] != Message.Kind.SYSTEM:
        return data
    return {**data, "text": cards.words(data["data"])}
