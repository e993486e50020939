"""The clock of trades."""

from celery import shared_task
from django.utils import timezone

from marketplace.escrow import services


@shared_task(name="tasks.escrow.sweep")
def sweep() -> None:
    services.sweep(at=timezone.now())
