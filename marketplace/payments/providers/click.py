"""Click SHOP-API: Click asks us twice per payment, Prepare and Complete, by form POST, and is answered in JSON with 200.

Amounts are soʻm with decimals, as texts; the signature is md5 over the texts exactly as they came. Where a Merchant API
user is set, we ask Click as well: how a payment stands, and to reverse it. Source: docs.click.uz, SHOP-API and Merchant API.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from marketplace.core import http
from marketplace.core.errors import DomainError
from marketplace.core.money import to_decimal
from marketplace.payments import errors
from marketplace.payments.models import PaymentAttempt, Transaction
from marketplace.payments.models import Refund as RefundRow
from marketplace.payments.providers import wire
from marketplace.payments.providers.base import (
    Answer,
    Authorize,
    Cancel,
    Command,
    Delivery,
    Outcome,
    PaymentProvider,
    Redirect,
    Refusal,
    Settle,
    Webhook,
)

PREPARE = "0"
COMPLETE = "1"
# Click names no time within which Complete must follow Prepare; a try that waits for ever would keep its payment open.
LIFETIME = timedelta(hours=24)
ZONE = ZoneInfo("Asia/Tashkent")

OK = 0
BAD_SIGN = -1
WRONG_AMOUNT = -2
NO_ACTION = -3
ALREADY_PAID = -4
NO_ACCOUNT = -5
NO_TRANSACTION = -6
BROKEN = -7
BAD_REQUEST = -8
CANCELLED = -9

_NOTES = {
    OK: "Success",
    BAD_SIGN: "SIGN CHECK FAILED!",
    WRONG_AMOUNT: "Incorrect parameter amount",
    NO_ACTION: "Action not found",
    ALREADY_PAID: "Already paid",
    NO_ACCOUNT: "User does not exist",
    NO_TRANSACTION: "Transaction does not exist",
    BROKEN: "Failed to update user",
    BAD_REQUEST: "Error in request from click",
    CANCELLED: "Transaction cancelled",
}
# What our services refuse, in Click's numbers.
_CODES: dict[type[DomainError], int] = {
    errors.UnknownPayment: NO_ACCOUNT,
    errors.UnknownAttempt: NO_TRANSACTION,
    errors.AlreadyPaid: ALREADY_PAID,
    errors.WrongAmount: WRONG_AMOUNT,
    errors.PaymentNotOpen: CANCELLED,
    errors.AttemptExpired: CANCELLED,
}
_REQUIRED = (
    "click_trans_id", "service_id", "merchant_trans_id", "amount", "action", "error", "sign_time", "sign_string",
)  # fmt: skip
_ACTIONS = {"": {PREPARE, COMPLETE}, "prepare": {PREPARE}, "complete": {COMPLETE}}
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_ERROR = re.compile(r"-?\d{1,9}", re.ASCII)
# The Merchant API's states of a payment: below zero it failed or was reversed.
_PAID = 2
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """What every answer repeats, and whether Click tells of a failure."""

    action: str
    click_trans_id: int
    merchant_trans_id: str
    is_failure: bool = False


class ClickProvider(PaymentProvider):
    code = "click"

    def __init__(self) -> None:
        # The Merchant API needs a user of its own; a reversal is of the whole payment.
        self.can_refund = bool(self.config["merchant_user_id"])

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """No call is needed: the address of Click's page carries the payment. What it carries proves nothing."""
        base = self.config["pay_url"]
        page = f"{base.rstrip('/')}/services/pay/" if base else ""
        if not page:
            page = urljoin(return_url, reverse("payments:gateway", args=[self.code]))
        fields = {
            "service_id": self.config["service_id"],
            "merchant_id": self.config["merchant_id"],
            "amount": f"{to_decimal(transaction.amount):f}",
            "transaction_param": str(transaction.pk),
            "return_url": return_url,
        }
        return Redirect(url=f"{page}?{urlencode(fields)}")

    def knows_method(self, method: str) -> bool:  # noqa: ARG002
        """Click hears of a wrong HTTP method in its own words."""
        return True

    # --- Click asks us ---------------------------------------------------------------------------------------

    def process_webhook(self, delivery: Delivery) -> Webhook:
        if delivery.method != "POST":
            raise _refusal(BAD_REQUEST, why=delivery.method, is_signed=False)
        if delivery.action not in _ACTIONS:
            raise _refusal(NO_ACTION, why="an unknown address", is_signed=False)
        try:
            fields = wire.read_form(delivery.body)
        except errors.BadPayload as error:
            raise _refusal(BAD_REQUEST, why=str(error), is_signed=False) from error
        call = Call(
            action=fields.get("action", ""),
            click_trans_id=_number(fields.get("click_trans_id")) or 0,
            merchant_trans_id=fields.get("merchant_trans_id", "")[:128].replace("\0", ""),
        )
        required = (*_REQUIRED, "merchant_prepare_id") if call.action == COMPLETE else _REQUIRED
        if missing := [name for name in required if name not in fields]:
            raise _refusal(BAD_REQUEST, call, why=f"without {', '.join(missing)}", is_signed=False)
        right = signature(fields, secret=self.config["secret_key"])
        if not hmac.compare_digest(right.encode(), fields["sign_string"].encode()):
            raise _refusal(BAD_SIGN, call, why="a wrong signature", is_signed=False)
        if fields["service_id"] != self.config["service_id"]:
            raise _refusal(BAD_SIGN, call, why=f"a foreign service {fields['service_id'][:40]}")
        if call.action not in _ACTIONS[delivery.action]:
            raise _refusal(NO_ACTION, call, why=f"action {call.action[:40]}")
        return _read(fields, call, delivery.at)

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        outcome, call = outcomes[0], webhook.call
        attempt = outcome.attempt
        if call.is_failure or attempt is None or attempt.state == PaymentAttempt.State.CANCELLED:
            return _answer(CANCELLED, call)
        if call.action == COMPLETE:
            return _answer(ALREADY_PAID if outcome.is_repeat else OK, call, attempt.pk)
        payment = outcome.payment
        if payment is not None and not payment.is_open:  # a repeated Prepare, after the payment was finished
            is_paid = payment.status == Transaction.Status.COMPLETED
            return _answer(ALREADY_PAID if is_paid else CANCELLED, call)
        return _answer(OK, call, attempt.pk)

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        call: Call | None = webhook.call if webhook else None
        code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), BAD_REQUEST)
        if code == ALREADY_PAID and call is not None and call.is_failure:
            # A failure that is told of a paid one moves nothing: the vendor's tests want this answer.
            code = CANCELLED
        return _answer(code, call)

    def fail(self) -> Answer:
        return _answer(BROKEN, None)

    # --- We ask Click ----------------------------------------------------------------------------------------

    def verify_payment(self, transaction: Transaction) -> Command | None:
        """Only a try that Click has prepared can have been paid: it is settled, or cancelled, under its own number."""
        if not self.config["merchant_user_id"]:
            return None
        attempts = list(transaction.attempts.filter(state=PaymentAttempt.State.OPEN).order_by("-pk"))
        if not attempts:
            return None
        told = self._status(transaction, attempts[0])
        payment_id, status = str(told.get("payment_id") or ""), told.get("payment_status")
        named = [a for a in attempts if payment_id in {a.provider_id, a.details.get("paydoc_id")}]
        attempt = next(iter(named or attempts))
        if type(status) is int and status == _PAID:
            # Prepare has compared the amount already: Click takes what it has prepared.
            return Settle(transaction.pk, attempt.provider_id, attempt_id=attempt.pk, is_taken=True)
        if type(status) is int and status < 0 and named:
            return Cancel(
                transaction.pk, attempt.provider_id, reason=f"Click {status}", attempt_id=attempt.pk
            )
        return None

    def refund(self, refund: RefundRow) -> str:
        """Reverse the whole payment, under the number that Click itself gives for our deposit."""
        attempt = refund.payment.attempts.filter(captured_at__isnull=False).first()
        if attempt is None or not self.config["merchant_user_id"]:
            raise errors.RefundRefused(f"{refund.payment_id} was not paid through Click")
        told = self._status(refund.payment, attempt)
        payment_id, status = _number(str(told.get("payment_id"))), told.get("payment_status")
        if payment_id is None or type(status) is not int:
            raise errors.ProviderUnavailable(f"click does not know {refund.payment_id}")
        if status < 0:  # reversed by an earlier try of ours whose answer was lost
            return str(payment_id)
        reply = self._call("DELETE", f"payment/reversal/{self.config['service_id']}/{payment_id}")
        if reply.get("error_code") != 0:
            raise errors.RefundRefused(f"click {reply.get('error_code')}: {reply.get('error_note')}"[:200])
        return str(payment_id)

    def _status(self, transaction: Transaction, attempt: PaymentAttempt) -> dict[str, Any]:
        day = attempt.provider_time.astimezone(ZONE).date()
        path = f"payment/status_by_mti/{self.config['service_id']}/{transaction.pk}/{day:%Y-%m-%d}"
        told = self._call("GET", path)
        return told if told.get("error_code") == 0 else {}

    def _call(self, method: str, path: str) -> dict[str, Any]:
        """One call of the Merchant API. Raises ProviderUnavailable."""
        base = self.config["api_url"]
        if base:
            url = f"{base.rstrip('/')}/{path}"
        else:
            url = urljoin(settings.SITE_URL, reverse("payments:gateway-api", args=[self.code, path]))
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Auth": auth_header(
                self.config["merchant_user_id"], self.config["secret_key"], at=timezone.now()
            ),
        }
        try:
            reply = http.send(method, url, headers=headers)
            if reply.status != 200:
                raise errors.ProviderUnavailable(f"click answers {reply.status}")
            return wire.read_object(reply.body)
        except (http.NoAnswer, errors.BadPayload) as error:
            raise errors.ProviderUnavailable(f"click: {error}") from error


def signature(fields: Mapping[str, str], *, secret: str) -> str:
    """md5 over the texts as they came; the number that we gave counts in Complete only."""
    parts = [
        fields["click_trans_id"],
        fields["service_id"],
        secret,
        fields["merchant_trans_id"],
        fields["merchant_prepare_id"] if fields["action"] == COMPLETE else "",
        fields["amount"],
        fields["action"],
        fields["sign_time"],
    ]
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def auth_header(user_id: str, secret: str, *, at: datetime) -> str:
    """The Merchant API's Auth header: user, sha1 of the time and the secret, time in Unix seconds."""
    timestamp = str(int(at.timestamp()))
    digest = hashlib.sha1(f"{timestamp}{secret}".encode(), usedforsecurity=False).hexdigest()
    return f"{user_id}:{digest}:{timestamp}"


def _read(fields: Mapping[str, str], call: Call, at: datetime) -> Webhook:
    """The command of a signed call. What can be judged only beside the payment is left to the services."""
    number, failure, signed_at = (
        _number(fields["click_trans_id"]),
        fields["error"],
        wire.moment(fields["sign_time"], ZONE),
    )
    if not number or not _ERROR.fullmatch(failure) or int(failure) > 0 or signed_at is None:
        raise _refusal(BAD_REQUEST, call, why="a malformed parameter")
    call = Call(call.action, number, call.merchant_trans_id, is_failure=int(failure) < 0)
    reference = wire.reference(fields["merchant_trans_id"])
    if reference is None:
        raise _refusal(NO_ACCOUNT, call, why="no deposit's id")
    # An amount that cannot be one fits no payment, like zero.
    amount = wire.from_major(fields["amount"]) or 0
    if call.action == COMPLETE:
        return Webhook(commands=(_complete(fields, call, reference, amount),), call=call)
    if call.is_failure:
        raise _refusal(CANCELLED, call, why=f"Click {failure} before anything was prepared")
    paydoc = _number(fields.get("click_paydoc_id"))
    command = Authorize(
        reference,
        str(number),
        amount,
        "UZS",
        time=signed_at,
        lifetime=at + LIFETIME - signed_at,  # which counts from our clock
        details={"paydoc_id": str(paydoc)} if paydoc else {},
    )
    return Webhook(commands=(command,), call=call)


def _complete(fields: Mapping[str, str], call: Call, reference: UUID, amount: int) -> Settle | Cancel:
    attempt_id = _number(fields["merchant_prepare_id"])
    if attempt_id is None or attempt_id > _LARGEST_ID:
        raise _refusal(NO_TRANSACTION, call, why="no number of ours")
    if call.is_failure:
        code = int(fields["error"])
        return Cancel(
            reference, str(call.click_trans_id), reason=f"Click {code}", code=code, attempt_id=attempt_id
        )
    return Settle(
        reference,
        str(call.click_trans_id),
        amount,
        "UZS",
        attempt_id=attempt_id,
        is_taken=True,
        details={"completed_at": fields["sign_time"]},
    )


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and _NUMBER.fullmatch(value) else None


def _answer(code: int, call: Call | None, attempt_id: int | None = None) -> Answer:
    body: dict[str, Any] = {}
    if call is not None:
        body = {"click_trans_id": call.click_trans_id, "merchant_trans_id": call.merchant_trans_id}
        if call.action in {PREPARE, COMPLETE}:
            body["merchant_confirm_id" if call.action == COMPLETE else "merchant_prepare_id"] = attempt_id
    return Answer(200, {**body, "error": code, "error_note": _NOTES[code]})


def _refusal(code: int, call: Call | None = None, *, why: str, is_signed: bool = True) -> Refusal:
    return Refusal(_answer(code, call), f"click {code}: {why}", is_signed=is_signed)
