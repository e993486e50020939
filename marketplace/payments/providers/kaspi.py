"""Kaspi's Biller protocol: Kaspi asks twice by GET, `check` and `pay`, tenge with decimals, and is answered in JSON.

There is no signature: the caller's address must be on a list, and the last part of our address is a secret. Kaspi hands its
documents out with a contract; what is not settled stands in docs/payments/kaspi.md. Source: reference, section Kaspi.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from marketplace.core.errors import DomainError
from marketplace.core.money import Minor, to_decimal
from marketplace.payments import errors
from marketplace.payments.models import Transaction
from marketplace.payments.providers import wire
from marketplace.payments.providers.base import (
    Answer,
    Check,
    Delivery,
    Outcome,
    PaymentProvider,
    Redirect,
    Refusal,
    Settle,
    Webhook,
)

CURRENCY = "KZT"
ZONE = ZoneInfo("Asia/Almaty")
# Where the sandbox and tests call from; never in production.
LOOPBACK = ("127.0.0.0/8", "::1/128")
# What stands in the setting of the link where the built-in gateway plays Kaspi.
BUILT_IN = "gateway"

OK = 0
NOT_FOUND = 1
CANCELLED = 2
PAID = 3
IN_PROGRESS = 4
OTHER = 5

_COMMENTS = {
    OK: "",
    NOT_FOUND: "Account not found",
    CANCELLED: "Order cancelled",
    PAID: "Order already paid",
    IN_PROGRESS: "Payment in progress",
    OTHER: "Error",
}
# What our services refuse, in Kaspi's numbers.
_RESULTS: dict[type[DomainError], int] = {
    errors.UnknownPayment: NOT_FOUND,
    errors.PaymentNotOpen: CANCELLED,
    errors.AlreadyPaid: PAID,
    errors.AttemptBusy: IN_PROGRESS,
}
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_TIME = re.compile(r"\d{14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    is_pay: bool
    txn_id: str


class KaspiProvider(PaymentProvider):
    code = "kaspi"

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """No call is needed: the payer goes on to Kaspi with the deposit's id as the account."""
        template = self.config["link"]
        if template == BUILT_IN:
            page = urljoin(return_url, reverse("payments:gateway", args=[self.code]))
            template = f"{page}?account={{reference}}&amount={{amount}}&back={{return_url}}"
        for name, value in {
            "reference": str(transaction.pk),
            "amount": f"{to_decimal(transaction.amount):f}",
            "return_url": return_url,
        }.items():
            template = template.replace(f"{{{name}}}", quote(value, safe=""))
        return Redirect(url=template)

    def knows_method(self, method: str) -> bool:
        return method == "GET"

    def kept_action(self, action: str) -> str:
        """The last part of the address is the password: rows hold a digest of it."""
        return _digest(action) if action else ""

    def process_webhook(self, delivery: Delivery) -> Webhook:
        right = hmac.compare_digest(delivery.action.encode(), _digest(self.config["token"]).encode())
        if not right or not self._is_allowed(delivery.address):
            # In the words for a provider that is not there: a stranger learns nothing, not even which of the two it was.
            answer = super().refuse(None, errors.UnknownProvider())
            why = "an address that is not on the list" if right else "a wrong address of ours"
            raise Refusal(answer, f"kaspi: {why}", is_signed=False)
        try:
            fields = wire.read_form(delivery.query.encode())
        except errors.BadPayload as error:
            raise _refusal(OTHER, "", why=str(error)) from error
        return _read(fields)

    def _is_allowed(self, address: str) -> bool:
        networks = [text.strip() for text in self.config["networks"].split(",") if text.strip()]
        if settings.DEVELOPER_PAGES:
            networks += LOOPBACK
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
            caller = caller.ipv4_mapped
        return any(caller in ipaddress.ip_network(network, strict=False) for network in networks)

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        """A repeated pay is answered like the first: the try and its payment say the same again."""
        payment, attempt = outcomes[0].payment, outcomes[0].attempt
        return _answer(
            OK,
            webhook.call.txn_id,
            number=str(attempt.pk) if attempt else "",
            amount=payment.amount if payment else None,
        )

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        result = next((_RESULTS[kind] for kind in type(error).__mro__ if kind in _RESULTS), OTHER)
        return _answer(result, webhook.call.txn_id if webhook else "")

    def fail(self) -> Answer:
        """The stored call is acted upon later, so this is no refusal: Kaspi should ask again."""
        return _answer(IN_PROGRESS, "")


def _digest(token: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"kaspi:" + token.encode(), hashlib.sha256).hexdigest()


def _read(fields: dict[str, str]) -> Webhook:
    command, txn_id = fields.get("command"), fields.get("txn_id", "")
    if not _NUMBER.fullmatch(txn_id):
        raise _refusal(OTHER, "", why="txn_id")
    if command not in {"check", "pay"}:
        raise _refusal(OTHER, txn_id, why="command")
    reference = wire.reference(fields.get("account"))
    if reference is None:
        raise _refusal(NOT_FOUND, txn_id, why="account")
    call = Call(command == "pay", txn_id)
    if not call.is_pay:  # the sum may be a dummy here
        return Webhook(commands=(Check(reference, currency=CURRENCY),), call=call)
    amount, at = wire.from_major(fields.get("sum")), _time(fields.get("txn_date", ""))
    if amount is None or at is None:
        raise _refusal(OTHER, txn_id, why="sum" if amount is None else "txn_date")
    return Webhook(commands=(Settle(reference, txn_id, amount, CURRENCY, time=at),), call=call)


def _time(text: str) -> datetime | None:
    """YYYYMMDDHHMMSS by Kaspi's clock, which is taken for Almaty's."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _answer(result: int, txn_id: str, *, number: str = "", amount: Minor | None = None) -> Answer:
    """JSON written by hand, so that the sum is an exact decimal number: 2500.00."""
    body: dict[str, Any] = {"txn_id": json.dumps(txn_id)}
    if number:
        body["prv_txn_id"] = json.dumps(number)
    body["result"] = result
    if amount is not None:
        body["sum"] = f"{to_decimal(amount):f}"
    body["comment"] = json.dumps(_COMMENTS[result])
    members = ", ".join(f'"{name}": {value}' for name, value in body.items())
    return Answer(200, f"{{{members}}}")


def _refusal(result: int, txn_id: str, *, why: str) -> Refusal:
    return Refusal(_answer(result, txn_id), f"kaspi {result}: {why}")
