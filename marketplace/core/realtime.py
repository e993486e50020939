"""Live events: told to a topic after the commit; consumers turn them into HTML for browsers and JSON for clients."""

import re
from functools import partial
from typing import Any

from django.db import transaction

from marketplace.core import courier


def group(topic: str) -> str:
    """The channel-layer group of a topic such as "user:<id>"; groups allow only letters, digits, '-', '_' and '.'."""
    return re.sub(r"[^a-zA-Z0-9_.-]", ".", topic)[:99]


def publish(topic: str, event: str, payload: dict[str, Any]) -> None:
    """Send an event to everyone who listens to the topic, once the transaction commits. Nobody listening is fine."""
    transaction.on_commit(partial(_send, topic, event, payload))


def _send(topic: str, event: str, payload: dict[str, Any]) -> None:
    message = {"type": "realtime.event", "topic": topic, "event": event, "payload": payload}
    courier.take((group(topic), message))
