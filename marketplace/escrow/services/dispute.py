"""Saying that something is wrong."""

import uuid

from django.db import transaction

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.escrow.errors import TradeNotOpen
from marketplace.escrow.facts import DisputeOpened
from marketplace.escrow.models import Dispute, EscrowTransaction
from marketplace.escrow.services._steps import locked, move, tell_both

Status = EscrowTransaction.Status


@transaction.atomic
def open_dispute(*, trade_id: uuid.UUID, user: User, reason: str, statement: str) -> Dispute:
    """Freeze the trade until a moderator decides: its clock stops, the money stays held.

    Either side may, from the hand-over until the seller is paid. A second one while the first is open returns the first.
    Raises TradeNotOpen; DoesNotExist for a trade of others.
    """
    trade = locked(trade_id)
    if user.pk not in {trade.buyer_id, trade.seller_id}:
        raise EscrowTransaction.DoesNotExist
    if trade.status == Status.DISPUTED:
        return trade.disputes.get(resolved_at__isnull=True)
    if trade.status not in {Status.PAID, Status.DELIVERED} or not trade.is_handed_over:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    dispute = Dispute.objects.create(trade=trade, opened_by=user, reason=reason, statement=statement)
    move(trade, Status.DISPUTED, due_at=None)
    tell_both(trade, seller="trade_disputed", buyer="trade_disputed", reason=Dispute.Reason(reason).label)
    announce(DisputeOpened(trade_id=trade.pk))
    return dispute
