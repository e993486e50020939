"""Later work of payments."""

import uuid

from celery import shared_task
from django.utils import timezone

from marketplace.payments import gateway, services


@shared_task(name="tasks.payments.sweep_webhooks")
def sweep_webhooks() -> None:
    services.sweep_webhooks(at=timezone.now())
    services.sweep_pending(at=timezone.now())
    services.sweep_refunds(at=timezone.now())


@shared_task(name="tasks.payments.verify")
def verify(transaction_id: str) -> None:
    services.verify(transaction_id=uuid.UUID(transaction_id))


@shared_task(name="tasks.payments.send_refund")
def send_refund(refund_id: str) -> None:
    services.send_refund(refund_id=uuid.UUID(refund_id))


@shared_task(name="tasks.payments.deliver_sandbox")
def deliver_sandbox(
    payment_id: str, event_id: str, state: str, base: str, times: int = 1, *, forged: bool = False
) -> None:
    """The sandbox gateway calls our webhook, as another company's server would."""
    gateway.deliver(
        payment_id=uuid.UUID(payment_id),
        event_id=event_id,
        state=state,
        base=base,
        times=times,
        forged=forged,
    )
