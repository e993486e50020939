"""Every write about plans, by business action. Each locks the subscriber first, then ledger accounts, offers, the person."""

from marketplace.subscriptions.services.changes import cancel, change_later, set_auto_renew
from marketplace.subscriptions.services.clock import auto_renew, remind, sweep
from marketplace.subscriptions.services.plans import save_plan
from marketplace.subscriptions.services.purchase import (
    lock_for_payment,
    purchase,
    purchase_through,
    settle_payment,
)

__all__ = [
    "auto_renew",
    "cancel",
    "change_later",
    "lock_for_payment",
    "purchase",
    "purchase_through",
    "remind",
    "save_plan",
    "set_auto_renew",
    "settle_payment",
    "sweep",
]
