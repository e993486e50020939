"""What happens when a wait is over. The column is the truth: no deadline lives in a broker."""

import logging
import uuid
from datetime import datetime

from django.db import connection, transaction

from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.services.delivery import delivered
from marketplace.escrow.services.purchase import end_unpaid
from marketplace.escrow.services.settlement import refund, release

logger = logging.getLogger("marketplace.escrow")

Status = EscrowTransaction.Status
BATCH = 200


def sweep(*, at: datetime) -> int:
    """Act on every trade whose deadline has passed, each in a transaction of its own. Returns how many moved.

    Two sweepers at once share the work: a trade that somebody holds is left to them.
    """
    due = EscrowTransaction.objects.due(at).order_by("due_at").values_list("pk", flat=True)[:BATCH]
    moved = 0
    for trade_id in list(due):
        try:
            moved += _act(trade_id, at=at)
        except (
            Exception
        ):  # one trade's trouble must not keep the others waiting; it stays due and is tried again
            logger.exception("deadline of trade %s could not be acted on", trade_id)
    return moved


@transaction.atomic
def _act(trade_id: uuid.UUID, *, at: datetime) -> bool:
    trades = EscrowTransaction.objects.select_for_update(
        of=("self",) if connection.features.has_select_for_update_of else (),
        skip_locked=connection.features.has_select_for_update_skip_locked,
    )
    trade = trades.select_related("listing", "buyer", "seller").due(at).filter(pk=trade_id).first()
    if trade is None:
        return False
    if trade.status == Status.PENDING_PAYMENT:
        end_unpaid(trade, EscrowTransaction.Ending.NOT_PAID, at=at)
    elif trade.status == Status.DELIVERED:
        release(trade, at=at)
    elif trade.is_handed_over:
        delivered(trade, at=at)
    else:
        refund(trade, EscrowTransaction.Ending.SELLER_SILENT, at=at)
    return True
