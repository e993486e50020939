"""Webhooks: stored word for word first, then acted upon, once. Each protocol answers in its own words."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from marketplace.core.errors import DomainError
from marketplace.core.prepared import Prepared, Slot
from marketplace.payments import providers
from marketplace.payments.errors import BadPayload, BadSignature, UnknownProvider
from marketplace.payments.models import WebhookEvent
from marketplace.payments.providers import basic
from marketplace.payments.providers.base import Answer, Delivery, PaymentProvider, Refusal, Webhook
from marketplace.payments.services.attempts import act

logger = logging.getLogger("marketplace.payments")

Status = WebhookEvent.Status
_locking = Prepared(
    lambda: (
        WebhookEvent.objects.select_for_update()
        .only("status", "answer_status", "answer_body")
        .filter(pk=Slot("pk"))
    )
)

MAX_BODY = 64 * 1024
# Strangers can send as much as they like: of what is not signed only this much is kept, of the newest rows.
KEPT_UNSIGNED_BYTES = 1024
KEPT_UNSIGNED_ROWS = 1000
KEPT_UNSIGNED_FOR = timedelta(days=7)
MOST_ATTEMPTS = 10
GRACE = timedelta(minutes=1)
SWEEP_BATCH = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a call gave: a webhook, or a refusal. Neither: reading itself broke, and the sweeper tries again."""

    webhook: Webhook | None = None
    refused: Answer | None = None
    why: str = ""
    is_signed: bool = True


def receive(
    *,
    provider_code: str,
    headers: Mapping[str, str],
    body: bytes,
    method: str = "POST",
    action: str = "",
    query: str = "",
    address: str = "",
) -> Answer:
    """Take a provider's call and answer it. A repeat of an event gets the same answer and moves no money.

    The row is written in a transaction of its own before anything is done, so that a crash after it loses nothing (see
    `sweep_webhooks`). Raises UnknownProvider; everything else wrong with a call is an answer, and its row is kept.
    """
    provider = _provider(provider_code)
    event = WebhookEvent(
        provider=provider_code,
        method=method[:10],
        action=provider.kept_action(action)[:64],
        query=query[:2000].replace("\0", ""),
        address=address or None,
        body=body,
        headers=_kept(headers, provider),
        received_at=timezone.now(),
    )
    reading = _read(event, provider)
    event.body = provider.kept_body(body)
    if not reading.is_signed:
        event.body = event.body[:KEPT_UNSIGNED_BYTES]
    event.signature_ok = reading.is_signed if reading.webhook or reading.refused else None
    event.event_id = reading.webhook.event_id if reading.webhook else ""
    try:
        _insert(event)
    except IntegrityError:
        return _repeat(event, provider, reading)
    return _proceed(event, provider, reading, is_new=True)


def knows_method(provider_code: str, method: str) -> bool:
    """Whether this provider's calls may come by this HTTP method. Raises UnknownProvider."""
    return _provider(provider_code).knows_method(method)


def process(*, event_id: UUID) -> Answer:
    """Act on a stored call that was never finished. A signature's age counts as of the arrival."""
    event = WebhookEvent.objects.get(pk=event_id)
    provider = _provider(event.provider)
    reading = _read(event, provider)
    if reading.webhook is not None and reading.webhook.event_id != event.event_id:
        event.event_id, event.signature_ok = reading.webhook.event_id, True
        try:
            with transaction.atomic():
                event.save(update_fields=["event_id", "signature_ok"])
        except IntegrityError:
            WebhookEvent.objects.filter(pk=event.pk).delete()
            return _repeat(event, provider, reading)
    return _proceed(event, provider, reading, is_new=False)


def _provider(code: str) -> PaymentProvider:
    try:
        return providers.get(code)
    except KeyError:
        raise UnknownProvider(code) from None


def _kept(headers: Mapping[str, str], provider: PaymentProvider) -> dict[str, str]:
    lengths = {"Content-Type": 300, "User-Agent": 300} | dict.fromkeys(provider.kept_headers, 1000)
    kept = {name: headers[name][:most].replace("\0", "") for name, most in lengths.items() if name in headers}
    if provider.uses_basic:
        kept[basic.HEADER] = basic.digest_of(headers.get(basic.HEADER, ""))
    return kept


def _read(event: WebhookEvent, provider: PaymentProvider) -> Reading:
    delivery = Delivery(
        body=bytes(event.body),
        headers=event.headers,
        at=event.received_at,
        method=event.method,
        action=event.action,
        query=event.query,
        address=event.address or "",
    )
    try:
        return Reading(webhook=provider.process_webhook(delivery))
    except Refusal as refusal:
        return Reading(refused=refusal.answer, why=str(refusal), is_signed=refusal.is_signed)
    except BadSignature as error:
        return Reading(refused=provider.refuse(None, error), why=f"{error.code}: {error}", is_signed=False)
    except BadPayload as error:
        return Reading(refused=provider.refuse(None, error), why=f"{error.code}: {error}")
    except Exception:
        # A bug of ours: the call is stored all the same, and read again when the bug is mended.
        logger.exception("a call of %s could not be read", event.provider)
        return Reading()


def _insert(event: WebhookEvent) -> None:
    """Store the row at once. A savepoint is needed only inside somebody's transaction, which is a test's."""
    if connection.in_atomic_block:
        with transaction.atomic():
            event.save(force_insert=True)
    else:
        event.save(force_insert=True)


def _repeat(event: WebhookEvent, provider: PaymentProvider, reading: Reading) -> Answer:
    """The provider tells it again: the first row stays, with its answer."""
    first = WebhookEvent.objects.get(provider=event.provider, event_id=event.event_id)
    WebhookEvent.objects.filter(pk=first.pk).update(deliveries=F("deliveries") + 1)
    logger.info("webhook %s %s came again", first.provider, first.event_id)
    # Its first delivery may be on its way in another process: then this waits. It may have died: then this acts.
    return _proceed(first, provider, reading, is_new=False)


def _proceed(event: WebhookEvent, provider: PaymentProvider, reading: Reading, *, is_new: bool) -> Answer:
    if reading.refused is not None:
        return _finish(event, Status.FAILED, reading.refused, why=reading.why)
    if reading.webhook is None:
        return provider.fail()
    try:
        return _act(event, provider, reading.webhook, is_new=is_new)
    except DomainError as error:
        answer = provider.refuse(reading.webhook, error)
        return _finish(event, Status.FAILED, answer, why=f"{error.code}: {error}")
    except Exception as error:
        logger.exception("webhook %s %s broke", event.provider, event.pk)
        WebhookEvent.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1, error=_text(repr(error)))
        return provider.fail()


@transaction.atomic
def _act(event: WebhookEvent, provider: PaymentProvider, webhook: Webhook, *, is_new: bool) -> Answer:
    # Only a call with an id can be told twice at once; without one, the row is this call's own.
    if event.event_id or not is_new:
        (stored,) = _locking(pk=event.pk)
        if stored.status != Status.RECEIVED:
            return _answered(stored)
    outcomes = [act(command, event.provider) for command in webhook.commands]
    answer = provider.answer(webhook, outcomes)
    if webhook.is_kept:
        return _finish(event, Status.FAILED, answer, why=webhook.note)
    return _finish(event, Status.PROCESSED if webhook.commands else Status.IGNORED, answer, why=webhook.note)


def _answered(event: WebhookEvent) -> Answer:
    body = event.answer_body
    if isinstance(body, dict) and set(body) == {"text", "content_type"}:
        return Answer(event.answer_status or 200, body["text"], body["content_type"])
    return Answer(event.answer_status or 200, body or {})


def _finish(event: WebhookEvent, status: str, answer: Answer, *, why: str = "") -> Answer:
    """Keep what was answered; what was refused stays for a person to look at."""
    if status == Status.FAILED:
        logger.warning("webhook %s %s refused: %s", event.provider, event.event_id or event.pk, why)
    body = answer.body
    event.status, event.processed_at, event.answer_status = status, timezone.now(), answer.status
    event.answer_body = (
        body if isinstance(body, dict) else {"text": body, "content_type": answer.content_type}
    )
    event.attempts, event.error = event.attempts + 1, _text(why)
    # Cheaper than an update by a queryset, and every call of a provider ends here.
    event.save(update_fields=["status", "processed_at", "answer_status", "answer_body", "attempts", "error"])
    return answer


def _text(why: str) -> str:
    return why[:500].replace("\0", "")


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
            done += not WebhookEvent.objects.filter(pk=event.pk, status=Status.RECEIVED).exists()
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
