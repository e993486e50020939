"""The adapter of the built-in sandbox gateway."""

import re
from urllib.parse import urljoin
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from marketplace.core import http
from marketplace.payments import sandbox
from marketplace.payments.errors import BadPayload, BadSignature, ProviderUnavailable
from marketplace.payments.models import Transaction
from marketplace.payments.providers.base import (
    Cancel,
    Command,
    Delivery,
    PaymentProvider,
    Redirect,
    Settle,
    Webhook,
)
from marketplace.payments.providers.wire import read_object

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


class SandboxProvider(PaymentProvider):
    code = sandbox.CODE
    kept_headers = (sandbox.TIMESTAMP_HEADER, sandbox.SIGNATURE_HEADER)

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """No call is needed: the page's address carries the order, signed."""
        fields = {
            "merchant": "WibeStore",
            "order": str(transaction.pk),
            "amount": str(transaction.amount),
            "currency": transaction.currency,
            "return_url": return_url,
        }
        page = urljoin(return_url, reverse("payments:sandbox-page"))
        return Redirect(url=f"{page}?{sandbox.signed_query(fields)}")

    def verify_payment(self, transaction: Transaction) -> Command | None:
        path = reverse("payments:sandbox-status", args=[transaction.pk])
        url = urljoin(str(transaction.metadata.get("payment_url", "")), path)
        try:
            reply = http.send("GET", url, headers=sandbox.signed_headers(path.encode(), at=timezone.now()))
        except http.NoAnswer as error:
            raise ProviderUnavailable(str(error)) from error
        if reply.status == 404:
            return None  # the payer never got to the page
        if reply.status != 200:
            raise ProviderUnavailable(f"sandbox answers {reply.status}")
        return _command(read_object(reply.body))

    def process_webhook(self, delivery: Delivery) -> Webhook:
        if not sandbox.is_signed(delivery.headers, delivery.body, at=delivery.at):
            raise BadSignature("sandbox")
        event = read_object(delivery.body)
        command = _command(event.get("payment"))
        return Webhook(event_id=_id(event.get("id")), commands=(command,) if command else ())


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadPayload(f"not an id: {value!r}"[:200])
    return value


def _command(payment: object) -> Command | None:
    """What the gateway's description of a payment means to us."""
    if not isinstance(payment, dict):
        raise BadPayload("no payment")
    amount, currency, state = payment.get("amount"), payment.get("currency"), payment.get("state")
    if type(amount) is not int or amount <= 0:
        raise BadPayload(f"not an amount: {amount!r}"[:200])
    if not isinstance(currency, str):
        raise BadPayload(f"not a currency: {currency!r}"[:200])
    try:
        order = UUID(_id(payment.get("order")))
    except ValueError as error:
        raise BadPayload("not an order") from error
    provider_id = _id(payment.get("id"))
    if state == "paid":
        return Settle(order, provider_id, amount, currency)
    if state == "declined":
        return Cancel(order, provider_id, reason="declined")
    if state == "created":
        return None
    raise BadPayload(f"unknown state: {state!r}"[:200])
