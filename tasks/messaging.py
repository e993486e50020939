"""Later work of conversations."""

import uuid

from celery import shared_task

from marketplace.messaging import services


@shared_task(name="tasks.messaging.tell_unread")
def tell_unread(conversation_id: str, user_id: str) -> None:
    services.tell_unread(conversation_id=uuid.UUID(conversation_id), user_id=uuid.UUID(user_id))
