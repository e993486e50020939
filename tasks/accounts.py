"""Housekeeping of people's keys, copies of their data, and accounts that are to be deleted."""

import uuid

from celery import shared_task
from django.utils import timezone

from marketplace.accounts import deletion, exports, new_browser, phones, services, sign_ins, tokens, trail


@shared_task(name="tasks.accounts.forget_expired_tokens")
def forget_expired_tokens() -> None:
    tokens.forget_expired(at=timezone.now())


@shared_task(name="tasks.accounts.forget_old_sign_ins")
def forget_old_sign_ins() -> None:
    sign_ins.forget_old(at=timezone.now())


@shared_task(name="tasks.accounts.cleanup_unverified_users")
def cleanup_unverified_users() -> None:
    services.forget_unverified(at=timezone.now())


@shared_task(name="tasks.accounts.forget_old_security_events")
def forget_old_security_events() -> None:
    trail.forget_old(at=timezone.now())


@shared_task(name="tasks.accounts.build_export")
def build_export(export_id: str) -> None:
    exports.build(export_id=uuid.UUID(export_id), at=timezone.now())


@shared_task(name="tasks.accounts.clear_up_exports")
def clear_up_exports() -> None:
    exports.clear_up(at=timezone.now())


@shared_task(name="tasks.accounts.delete_accounts")
def delete_accounts() -> None:
    deletion.sweep(at=timezone.now())


@shared_task(name="tasks.accounts.send_phone_code")
def send_phone_code(code_id: str, secret: str) -> None:
    phones.send(code_id=uuid.UUID(code_id), secret=secret, at=timezone.now())


@shared_task(name="tasks.accounts.forget_codes")
def forget_codes() -> None:
    phones.forget_old(at=timezone.now())
    new_browser.forget_old(at=timezone.now())
