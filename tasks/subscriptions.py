"""The clock of plans."""

import uuid

from celery import shared_task
from django.utils import timezone

from marketplace.subscriptions import services


@shared_task(name="tasks.subscriptions.check_subscription_expirations")
def check_subscription_expirations() -> None:
    services.sweep(at=timezone.now())


@shared_task(name="tasks.subscriptions.auto_renew_subscription")
def auto_renew_subscription(user_subscription_id: str) -> None:
    services.auto_renew(subscription_id=uuid.UUID(user_subscription_id), at=timezone.now())


@shared_task(name="tasks.subscriptions.send_subscription_expiring_soon")
def send_subscription_expiring_soon(user_id: str) -> None:
    services.remind(user_id=uuid.UUID(user_id), at=timezone.now())
