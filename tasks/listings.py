"""Later work of listings."""

from celery import shared_task
from django.utils import timezone

from marketplace.listings import services


@shared_task(name="tasks.listings.auto_approve")
def auto_approve() -> None:
    services.auto_approve(at=timezone.now())
