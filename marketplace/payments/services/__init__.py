"""Payments in, payouts, and the history of both."""

from marketplace.payments.services.deposits import cancel, fail, settle, start_payment, sweep_pending, verify
from marketplace.payments.services.records import record

__all__ = ["cancel", "fail", "record", "settle", "start_payment", "sweep_pending", "verify"]
