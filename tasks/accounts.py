"""Housekeeping of people's keys."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from marketplace.accounts import phones, services, sign_ins, tokens


@shared_task(name="tasks.accounts.forget_expired_tokens")
def forget_expired_tokens() -> None:
    tokens.forget_expired(at=timezone.now())


@shared_task(name="tasks.accounts.forget_old_sign_ins")
def forget_old_sign_ins() -> None:
    sign_ins.forget_old(at=timezone.now())


@shared_task(name="tasks.accounts.cleanup_unverified_users")
def cleanup_unverified_users() -> None:
    services.forget_unverified(at=timezone.now())


@shared_task(name="tasks.accounts.send_phone_code")
def send_phone_code(code_id: str, secret: str) -> None:
    phones.send(code_id=UUID(code_id), secret=secret, at=timezone.now())


@shared_task(name="tasks.accounts.forget_phone_codes")
def forget_phone_codes() -> None:
    phones.forget_old(at=timezone.now())
