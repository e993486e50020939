"""Sending what was queued."""

import uuid
from typing import Any

from celery import shared_task

from marketplace.notifications import services


@shared_task(name="tasks.notifications.send_email")
def send_email(notification_id: str) -> None:
    services.email(notification_id=uuid.UUID(notification_id))


@shared_task(name="tasks.notifications.send_account_email")
def send_account_email(template: str, email: str, language: str, context: dict[str, Any]) -> None:
    services.account_email(template=template, to=email, language=language, context=context)
