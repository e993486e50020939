"""Payments in, payouts, refunds, and the history of them all."""

from marketplace.payments.services.attempts import act
from marketplace.payments.services.card_entry import confirm_card, send_card
from marketplace.payments.services.debts import collect as collect_debts
from marketplace.payments.services.deposits import cancel, start_payment
from marketplace.payments.services.records import record
from marketplace.payments.services.refunds import can_refund, refund, sweep_refunds
from marketplace.payments.services.refunds import send as send_refund
from marketplace.payments.services.verification import sweep_pending, verify
from marketplace.payments.services.webhooks import knows_method, process, receive, sweep_webhooks
from marketplace.payments.services.withdrawals import complete_withdrawal, fail_withdrawal, withdraw

__all__ = [
    "act",
    "can_refund",
    "cancel",
    "collect_debts",
    "complete_withdrawal",
    "confirm_card",
    "fail_withdrawal",
    "knows_method",
    "process",
    "receive",
    "record",
    "refund",
    "send_card",
    "send_refund",
    "start_payment",
    "sweep_pending",
    "sweep_refunds",
    "sweep_webhooks",
    "verify",
    "withdraw",
]
