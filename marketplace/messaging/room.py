"""What a page needs to show a conversation (templates/messaging/_chat.html): its own page, and that of a trade."""

from typing import Any

from marketplace.accounts.models import User
from marketplace.messaging import selectors, services
from marketplace.messaging.forms import MessageForm
from marketplace.messaging.selectors import Thread
from marketplace.messaging.shown import as_data, with_words


def enter(user: User, found: Thread) -> dict[str, Any]:
    """The context. Seeing a thread is reading it; a moderator's look is noted instead."""
    conversation = found.conversation
    if found.side is None:
        services.note_oversight(conversation=conversation, reader=user)
    else:
        services.mark_read(conversation_id=conversation.pk, user=user)
    rows, has_older = selectors.page_of(found)
    other = conversation.other(user)
    blocks, is_blocked = selectors.blocks_between(user, other) if found.side else (False, False)
    return {
        "conversation": conversation,
        "side": found.side,
        "other": other,
        "is_overseen": found.side is None,
        "log": [with_words(as_data(row)) for row in rows],
        "has_older": has_older,
        "blocks": blocks,
        "is_blocked": is_blocked,
        "presence": selectors.seen(other),
        "form": MessageForm(),
    }
