"""Housekeeping of people's keys."""

from celery import shared_task
from django.utils import timezone

from marketplace.accounts import tokens


@shared_task(name="tasks.accounts.forget_expired_tokens")
def forget_expired_tokens() -> None:
    tokens.forget_expired(at=timezone.now())
