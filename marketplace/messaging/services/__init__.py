"""Writing to one another, and living in peace."""

from marketplace.messaging.services.messages import edit, note_step, send, take_back, tell_unread
from marketplace.messaging.services.peace import block, decide_report, report, unblock
from marketplace.messaging.services.threads import (
    clear,
    mark_read,
    mute,
    note_oversight,
    open_about,
    open_with,
    typing,
)

__all__ = [
    "block",
    "clear",
    "decide_report",
    "edit",
    "mark_read",
    "mute",
    "note_oversight",
    "note_step",
    "open_about",
    "open_with",
    "report",
    "send",
    "take_back",
    "tell_unread",
    "typing",
    "unblock",
]
