"""Payments in, payouts, and the history of both."""

from marketplace.payments.services.deposits import cancel, fail, settle, start_payment, sweep_pending, verify
from marketplace.payments.services.records import record
from marketplace.payments.services.webhooks import process, receive, sweep_webhooks
from marketplace.payments.services.withdrawals import complete_withdrawal, fail_withdrawal, withdraw

__all__ = [
    "cancel",
    "complete_withdrawal",
    "fail",
    "fail_withdrawal",
    "process",
    "receive",
    "record",
    "settle",
    "start_payment",
    "sweep_pending",
    "sweep_webhooks",
    "verify",
    "withdraw",
]
