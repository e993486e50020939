"""Asking providers about payments whose word never came."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from marketplace.core.errors import DomainError
from marketplace.payments import providers
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.models import Transaction
from marketplace.payments.services import attempts, deposits

logger = logging.getLogger("marketplace.payments")

# A payment that nobody has paid is asked about after the first wait, then now and then, and given up at last.
ASK_AFTER = timedelta(minutes=3)
ASK_AGAIN_AFTER = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(hours=24)
SWEEP_BATCH = 100


def verify(*, transaction_id: UUID) -> Transaction:
    """Ask the provider how a payment stands, and act on the answer. Raises ProviderUnavailable."""
    payment = Transaction.objects.select_related("payment_method").get(
        pk=transaction_id, type=Transaction.Type.DEPOSIT
    )
    if not payment.is_open or payment.payment_method is None:
        return payment
    code = payment.payment_method.code
    try:
        provider = providers.get(code)
    except KeyError:
        raise ProviderUnavailable(f"no provider {code}") from None
    command = provider.verify_payment(payment)
    if command is None:
        return payment
    return attempts.act(command, code).payment or payment


def sweep_pending(*, at: datetime) -> int:
    """Ask about payments whose webhook never came, and give up the oldest. Returns how many were closed."""
    attempts.expire(at=at, most=SWEEP_BATCH)
    waiting = Transaction.objects.filter(
        Q(asked_at__isnull=True, created_at__lt=at - ASK_AFTER) | Q(asked_at__lt=at - ASK_AGAIN_AFTER),
        type=Transaction.Type.DEPOSIT,
        status__in=Transaction.OPEN,
    )
    closed = 0
    for payment in waiting.order_by("created_at")[:SWEEP_BATCH]:
        Transaction.objects.filter(pk=payment.pk).update(asked_at=at)
        try:
            if not verify(transaction_id=payment.pk).is_open:
                closed += 1
            elif payment.created_at < at - GIVE_UP_AFTER:
                deposits.cancel(transaction_id=payment.pk)
                closed += 1
        except DomainError as error:
            logger.warning("payment %s could not be verified (%s: %s)", payment.pk, error.code, error)
    return closed
