"""Sending what was queued, and what is done by the clock."""

import uuid
from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from marketplace.notifications import services


@shared_task(name="tasks.notifications.send_notification_email")
def send_notification_email(user_id: str, notification_data: dict[str, str]) -> None:  # noqa: ARG001 (whose it is, for who reads the jobs)
    services.email(notification_id=uuid.UUID(notification_data["notification_id"]))


@shared_task(name="tasks.notifications.send_telegram")
def send_telegram(notification_id: str) -> None:
    services.send(notification_id=uuid.UUID(notification_id))


@shared_task(name="tasks.notifications.say_in_telegram")
def say_in_telegram(chat_id: int, what: str, language: str) -> None:
    services.say(chat_id=chat_id, what=what, language=language)


@shared_task(name="tasks.notifications.send_welcome_email")
def send_welcome_email(user_id: str) -> None:
    services.send_welcome(user_id=uuid.UUID(user_id))


@shared_task(name="tasks.notifications.send_email_verification")
def send_email_verification(user_id: str, token: str) -> None:
    services.send_verification(user_id=uuid.UUID(user_id), token=token)


@shared_task(name="tasks.notifications.send_password_reset_email")
def send_password_reset_email(user_id: str, token: str) -> None:
    services.send_password_reset(user_id=uuid.UUID(user_id), token=token)


@shared_task(name="tasks.notifications.send_sign_in_code")
def send_sign_in_code(code_id: str, secret: str) -> None:
    services.send_sign_in_code(code_id=uuid.UUID(code_id), secret=secret)


@shared_task(name="tasks.notifications.send_account_email")
def send_account_email(template: str, email: str, language: str, context: dict[str, Any]) -> None:
    services.account_email(template=template, to=email, language=language, context=context)


@shared_task(name="tasks.notifications.send_digest")
def send_digest(user_id: str, since: str, until: str) -> None:
    services.send_digest(
        user_id=uuid.UUID(user_id),
        since=datetime.fromisoformat(since),
        until=datetime.fromisoformat(until),
    )


@shared_task(name="tasks.notifications.send_digests")
def send_digests() -> None:
    services.sweep_digests(at=timezone.now())


@shared_task(name="tasks.notifications.cleanup_old_notifications")
def cleanup_old_notifications() -> None:
    services.forget_old(at=timezone.now())
