"""Payments in, payouts, refunds, and the history of them all."""

from marketplace.payments.services.attempts import act
from marketplace.payments.services.card_entry import confirm_card, send_card
from marketplace.payments.services.credentials import change_secret
from marketplace.payments.services.debts import collect as collect_debts
from marketplace.payments.services.deposits import cancel, start_payment, tell_settled
from marketplace.payments.services.receipt_mail import email_receipt
from marketplace.payments.services.records import record
from marketplace.payments.services.refunds import can_refund, refund, refund_to_method, sweep_refunds
from marketplace.payments.services.refunds import send as send_refund
from marketplace.payments.services.verification import sweep_pending, verify
from marketplace.payments.services.webhooks import knows_method, process, receive, sweep_webhooks
from marketplace.payments.services.withdrawals import (
    approvals_needed,
    approve_withdrawal,
    complete_withdrawal,
    fail_withdrawal,
    remove_card,
    save_card,
    show_number,
    tell_desk,
    withdraw,
)

__all__ = [
    "act",
    "approvals_needed",
    "approve_withdrawal",
    "can_refund",
    "cancel",
    "change_secret",
    "collect_debts",
    "complete_withdrawal",
    "confirm_card",
    "email_receipt",
    "fail_withdrawal",
    "knows_method",
    "process",
    "receive",
    "record",
    "refund",
    "refund_to_method",
    "remove_card",
    "save_card",
    "send_card",
    "send_refund",
    "show_number",
    "start_payment",
    "sweep_pending",
    "sweep_refunds",
    "sweep_webhooks",
    "tell_desk",
    "tell_settled",
    "verify",
    "withdraw",
]
