"""Proving the books, by the clock."""

from celery import shared_task
from django.utils import timezone

from marketplace.ledger import services


@shared_task(name="tasks.ledger.audit")
def audit() -> None:
    services.audit(at=timezone.now())
    services.forget_audits(at=timezone.now())
