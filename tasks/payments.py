"""Later work of payments."""

import uuid
from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from marketplace.ledger.errors import InsufficientFunds
from marketplace.payments import gateway, selectors, services
from marketplace.payments.errors import RefundNotPossible, RefundTooLarge


@shared_task(name="tasks.payments.sweep_webhooks")
def sweep_webhooks() -> None:
    services.sweep_webhooks(at=timezone.now())
    services.sweep_pending(at=timezone.now())
    services.sweep_refunds(at=timezone.now())


@shared_task(name="tasks.payments.process_deposit")
def process_deposit(transaction_id: str) -> None:
    services.verify(transaction_id=uuid.UUID(transaction_id))


@shared_task(name="tasks.payments.tell_settled")
def tell_settled(transaction_id: str) -> None:
    services.tell_settled(transaction_id=uuid.UUID(transaction_id))


@shared_task(name="tasks.payments.send_transaction_email")
def send_transaction_email(transaction_id: str, template: str) -> None:
    services.email_receipt(transaction_id=uuid.UUID(transaction_id), template=template)


@shared_task(name="tasks.payments.process_withdrawal")
def process_withdrawal(transaction_id: str) -> None:
    services.tell_desk(transaction_id=uuid.UUID(transaction_id), staff=selectors.payout_staff())


@shared_task(name="tasks.payments.refund_to_method")
def refund_to_method(transaction_id: str, amount: int, reason: str, idempotency_key: str) -> None:
    with suppress(InsufficientFunds, RefundNotPossible, RefundTooLarge):  # then it stays in the wallet
        services.refund(
            transaction_id=uuid.UUID(transaction_id),
            amount=amount,
            reason=reason,
            idempotency_key=idempotency_key,
        )


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
