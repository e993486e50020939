"""Live events: told to a topic after the commit; consumers turn them into HTML for browsers and JSON for clients."""

import logging
import re
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)


def group(topic: str) -> str:
    """The channel-layer group of a topic such as "user:<id>"; groups allow only letters, digits, '-', '_' and '.'."""
    return re.sub(r"[^a-zA-Z0-9_.-]", ".", topic)[:99]


def publish(topic: str, event: str, payload: dict[str, Any]) -> None:
    """Send an event to everyone who listens to the topic, once the transaction commits. Nobody listening is fine."""
    transaction.on_commit(partial(_send, topic, event, payload))


def _send(topic: str, event: str, payload: dict[str, Any]) -> None:
    message = {"type": "realtime.event", "topic": topic, "event": event, "payload": payload}
    try:
        async_to_sync(get_channel_layer().group_send)(group(topic), message)
    except Exception as error:  # noqa: BLE001 (a page that is not updated live must not undo the write that was committed)
        logger.warning("event %s on %s was not published: %s", event, topic, error)
