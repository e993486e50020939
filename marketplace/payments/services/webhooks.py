"""Webhooks: stored word for word first, then checked, then acted upon, once."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from marketplace.core.errors import DomainError
from marketplace.payments import providers
from marketplace.payments.errors import BadPayload, BadSignature, UnknownProvider
from marketplace.payments.models import WebhookEvent
from marketplace.payments.providers.base import Answer, PaymentProvider, Webhook
from marketplace.payments.services.deposits import apply

logger = logging.getLogger("marketplace.payments")

Status = WebhookEvent.Status

MAX_BODY = 64 * 1024
# Strangers can send as much as they like: of what is not signed only this much is kept, of the newest rows.
KEPT_UNSIGNED_BYTES = 1024
KEPT_UNSIGNED_ROWS = 1000
KEPT_UNSIGNED_FOR = timedelta(days=7)
MOST_ATTEMPTS = 10
GRACE = timedelta(minutes=1)
SWEEP_BATCH = 200


def receive(*, provider_code: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Take a webhook and answer it. A repeat of an event gets the same answer and moves no money.

    The row is written in a transaction of its own, so that a crash after it loses nothing (see `sweep_webhooks`).
    Raises UnknownProvider; everything else wrong with a webhook is an answer, and its row is kept.
    """
    provider = _provider(provider_code)
    event = WebhookEvent.objects.create(
        provider=provider_code, body=body, headers=_kept(headers, provider), received_at=timezone.now()
    )
    return process(event_id=event.pk)


def _provider(code: str) -> PaymentProvider:
    try:
        return providers.get(code)
    except KeyError:
        raise UnknownProvider(code) from None


def _kept(headers: Mapping[str, str], provider: PaymentProvider) -> dict[str, str]:
    names = ("Content-Type", "User-Agent", *provider.kept_headers)
    return {name: headers[name][:300].replace("\0", "") for name in names if name in headers}


def process(*, event_id: UUID) -> Answer:
    """Check a stored webhook and act on it. The signature's age counts as of its arrival.

    An unexpected error leaves the row as received, and the sweeper tries it again.
    """
    event = WebhookEvent.objects.get(pk=event_id)
    provider = _provider(event.provider)
    try:
        webhook = provider.process_webhook(event.headers, bytes(event.body), at=event.received_at)
    except BadSignature as error:
        event.signature_ok, event.body = False, bytes(event.body)[:KEPT_UNSIGNED_BYTES]
        return _refuse(event, error)
    except BadPayload as error:
        event.signature_ok = True
        return _refuse(event, error)
    try:
        with transaction.atomic():
            WebhookEvent.objects.filter(pk=event.pk).update(event_id=webhook.event_id, signature_ok=True)
    except IntegrityError:
        return _repeat(event, provider, webhook)
    return _act(event.pk, provider, webhook)


def _repeat(event: WebhookEvent, provider: PaymentProvider, webhook: Webhook) -> Answer:
    """The provider tells it again: the first row stays, with its answer."""
    first = WebhookEvent.objects.get(provider=event.provider, event_id=webhook.event_id)
    WebhookEvent.objects.filter(pk=first.pk).update(deliveries=F("deliveries") + 1)
    event.delete()
    logger.info("webhook %s %s came again", first.provider, first.event_id)
    # Its first delivery may be on its way in another process: then this waits. It may have died: then this acts.
    return _act(first.pk, provider, webhook)


def _act(event_pk: UUID, provider: PaymentProvider, webhook: Webhook) -> Answer:
    try:
        with transaction.atomic():
            event = WebhookEvent.objects.select_for_update().get(pk=event_pk)
            if event.status != Status.RECEIVED:
                return Answer(event.answer_status or 200, event.answer_body or {})
            try:
                with transaction.atomic():
                    for command in webhook.commands:
                        apply(command, provider=event.provider)
            except DomainError as error:
                return _refuse(event, error)
            answer = provider.answer(webhook)
            _finish(event, Status.PROCESSED if webhook.commands else Status.IGNORED, answer)
            return answer
    except Exception as error:
        WebhookEvent.objects.filter(pk=event_pk).update(attempts=F("attempts") + 1, error=repr(error)[:500])
        raise


def _refuse(event: WebhookEvent, error: DomainError) -> Answer:
    """Keep the row for a person to look at, and say no."""
    event.error = f"{error.code}: {error}"[:500].replace("\0", "")
    logger.warning("webhook %s %s refused: %s", event.provider, event.event_id or event.pk, event.error)
    body = {"success": False, "error": {"code": error.code, "message": str(error.message), "details": {}}}
    answer = Answer(error.status, body)
    _finish(event, Status.FAILED, answer)
    return answer


def _finish(event: WebhookEvent, status: Status, answer: Answer) -> None:
    event.status, event.processed_at = status, timezone.now()
    event.answer_status, event.answer_body = answer.status, answer.body
    event.attempts += 1
    event.save(
        update_fields=[
            "status", "processed_at", "answer_status", "answer_body", "attempts", "error", "signature_ok", "body",
        ]
    )  # fmt: skip


def sweep_webhooks(*, at: datetime) -> int:
    """Process what was stored and never finished, and forget what strangers sent. Returns how many were finished."""
    left = WebhookEvent.objects.filter(status=Status.RECEIVED, received_at__lt=at - GRACE).order_by(
        "received_at"
    )
    done = 0
    for event in left[:SWEEP_BATCH]:
        if event.attempts >= MOST_ATTEMPTS:
            WebhookEvent.objects.filter(pk=event.pk).update(status=Status.FAILED, processed_at=at)
            logger.error("webhook %s %s given up after %s tries", event.provider, event.pk, event.attempts)
            continue
        try:
            process(event_id=event.pk)
            done += 1
        except Exception:
            logger.exception("webhook %s %s failed again", event.provider, event.pk)
    _forget_unsigned(at)
    return done


def _forget_unsigned(at: datetime) -> None:
    unsigned = WebhookEvent.objects.filter(signature_ok=False)
    unsigned.filter(received_at__lt=at - KEPT_UNSIGNED_FOR).delete()
    too_many = unsigned.order_by("-received_at").values_list("received_at", flat=True)
    for newest_to_drop in too_many[KEPT_UNSIGNED_ROWS : KEPT_UNSIGNED_ROWS + 1]:
        unsigned.filter(received_at__lte=newest_to_drop).delete()
