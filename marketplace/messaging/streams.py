"""What pages show of conversations by themselves: how many wait to be read."""

from typing import Any

from django.template.loader import render_to_string

from marketplace.core.live import topics
from marketplace.core.live.reader import Reader
from marketplace.core.live.topics import Frame
from marketplace.messaging import selectors


def register() -> None:
    topics.show("chat_message", counted)
    topics.show("chat_read", counted)
    topics.greet(caught_up)


def counted(reader: Reader, _payload: dict[str, Any]) -> Frame:
    context = {"header": {"unread_chats": selectors.unread_total(reader.user)}, "oob": True}
    return Frame("chats", render_to_string("components/header_chats.html", context))


def caught_up(reader: Reader, _last_id: str) -> list[Frame]:
    return [counted(reader, {})]
