"""Refunds that nobody knows about: somebody of the staff looks into the provider's cabinet and says how it was.

One decision a refund, with who and why. Under the payment's lock, which whoever else ends a refund takes too.
"""

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.payments.errors import OwnRefund, RefundAsked, RefundNumberUsed, RefundOver
from marketplace.payments.models import Refund, RefundDecision
from marketplace.payments.services import deposits, refunds

logger = logging.getLogger("marketplace.payments")

Action = RefundDecision.Action


@transaction.atomic
def refund_was_made(*, refund_id: UUID, actor: User, reason: str, provider_refund_id: str) -> Refund:
    """The provider has given the money back, under this number of its own. The same press again is harmless.

    The number lets us know the refund again when the provider tells of it later. Raises Refund.DoesNotExist, OwnRefund,
    RefundOver, RefundAsked, RefundNumberUsed.
    """
    row, is_new = _undecided(refund_id, actor, Action.MADE)
    if not is_new:
        return row
    others = Refund.objects.filter(payment=row.payment_id, provider_refund_id=provider_refund_id)
    if others.exclude(pk=row.pk).exists():
        raise RefundNumberUsed(f"{provider_refund_id} of {row.payment_id}")
    _note(row, actor, Action.MADE, reason)
    return refunds.succeed(refund_id=row.pk, provider_refund_id=provider_refund_id)


@transaction.atomic
def refund_was_not_made(*, refund_id: UUID, actor: User, reason: str) -> Refund:
    """The provider has not: the money is back in the wallet. The same press again is harmless.

    Raises Refund.DoesNotExist, OwnRefund, RefundOver, RefundAsked.
    """
    row, is_new = _undecided(refund_id, actor, Action.NOT_MADE)
    if not is_new:
        return row
    _note(row, actor, Action.NOT_MADE, reason)
    return refunds.fail(refund_id=row.pk, error=row.error or "no answer")


def _undecided(refund_id: UUID, actor: User, action: str) -> tuple[Refund, bool]:
    """The refund under its payment's lock, and whether it waits for this decision; False: this is its repeat."""
    payment = deposits.locked(Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id))
    row = Refund.objects.get(pk=refund_id)
    if payment.user_id == actor.pk:
        raise OwnRefund(str(row.pk))
    known = RefundDecision.objects.filter(refund=row).first()
    if known is not None and (known.actor_id, known.action) == (actor.pk, action):
        return row, False
    if known is not None or row.status != Refund.Status.INITIATED:
        raise RefundOver(f"{row.pk} is {row.status}")
    if not row.needs_a_look(timezone.now()):
        raise RefundAsked(str(row.pk))
    return row, True


def _note(row: Refund, actor: User, action: str, reason: str) -> None:
    RefundDecision.objects.create(refund=row, actor=actor, action=action, reason=reason[:200])
    logger.warning("refund %s: %s says %s", row.pk, actor.pk, action)
