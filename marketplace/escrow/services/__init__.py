"""Every write of a trade, by business action. Each locks the trade first, then the listing, then ledger accounts."""

from marketplace.escrow.services._steps import put_into_chat
from marketplace.escrow.services.deadlines import sweep
from marketplace.escrow.services.delivery import accept, hand_over, reveal
from marketplace.escrow.services.dispute import open_dispute
from marketplace.escrow.services.purchase import (
    buy,
    buy_from_balance,
    cancel,
    lock_for_payment,
    pay_from_balance,
    pay_through,
    settle_payment,
)
from marketplace.escrow.services.refunds import refund_by_staff
from marketplace.escrow.services.settlement import confirm

__all__ = [
    "accept",
    "buy",
    "buy_from_balance",
    "cancel",
    "confirm",
    "hand_over",
    "lock_for_payment",
    "open_dispute",
    "pay_from_balance",
    "pay_through",
    "put_into_chat",
    "refund_by_staff",
    "reveal",
    "settle_payment",
    "sweep",
]
