"""Attachments on their way out: the same rules for pages and programs."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.http import content_disposition_header

from marketplace.core.downloads import Download
from marketplace.messaging import selectors, services
from marketplace.messaging.models import Conversation, Message


def file_response(user: Any, conversation_id: UUID, message_id: UUID) -> Download:
    """A picture to look at, or a file to save: nothing of it can run in our name. Raises Http404."""
    try:
        thread, message = selectors.attachment_of(user, conversation_id, message_id)
    except (Conversation.DoesNotExist, Message.DoesNotExist):
        raise Http404 from None
    if thread.side is None:
        services.note_oversight(conversation=thread.conversation, reader=user)
    is_file = message.kind != Message.Kind.IMAGE
    response = Download(message.attachment.open("rb"), content_type=message.attachment_type)
    response["Content-Disposition"] = content_disposition_header(is_file, message.attachment_name) or "inline"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
