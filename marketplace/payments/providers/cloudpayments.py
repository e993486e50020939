"""CloudPayments, in Kazakhstan TipTop Pay: we order an invoice and send the payer to it; signed notifications bring the outcome.

Source: developers.cloudpayments.ru: notifications, server API. Amounts are decimals of major units. The widget is a script of
theirs that our pages do not load: the hosted invoice is used instead.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, unquote_plus, urlencode, urljoin, urlsplit
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

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
    Check,
    Command,
    Delivery,
    Outcome,
    PaymentProvider,
    Redirect,
    Refund,
    Refusal,
    Settle,
    Webhook,
)

RAW, DECODED = "Content-HMAC", "X-Content-HMAC"
OK, WRONG_ORDER, WRONG_ACCOUNT, WRONG_AMOUNT, CANNOT, EXPIRED = 0, 10, 11, 12, 13, 20
KINDS = {"check", "pay", "fail", "refund", "confirm", "cancel"}
CURRENCY = "KZT"
# Their idempotency keys are good for an hour.
KEY_LIFETIME = timedelta(minutes=50)
# What only a payment that was made carries: it tells a Pay from a Check where both come to one address.
_ONLY_PAID = {"AuthCode", "GatewayName", "Token", "TotalFee", "Rrn"}
_LANGUAGES = {"ru": "ru-RU", "en": "en-US", "uz": "uz"}
_CODES: dict[type[DomainError], int] = {
    errors.UnknownPayment: WRONG_ORDER,
    errors.PaymentNotOpen: EXPIRED,
    errors.WrongAmount: WRONG_AMOUNT,
}


@dataclass(frozen=True, slots=True)
class Call:
    kind: str
    account: str = ""


class CloudPaymentsProvider(PaymentProvider):
    code = "cloudpayments"
    kept_headers = (RAW, DECODED)
    can_refund = True
    can_refund_part = True

    # --- What we ask -----------------------------------------------------------------------------------

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        language = transaction.user.language
        with translation.override(language):
            words = transaction.description or _("Top up the wallet")
        said = self._ask(
            return_url,
            "orders/create",
            {
                "Amount": str(to_decimal(transaction.amount)),
                "Currency": transaction.currency,
                "Description": words,
                "InvoiceId": str(transaction.pk),
                "AccountId": str(transaction.user_id),
                "RequireConfirmation": "false",
                "SendEmail": "false",
                "CultureName": _LANGUAGES.get(language, "ru-RU"),
                "SuccessRedirectUrl": return_url,
                "FailRedirectUrl": return_url,
            },
            key=f"{transaction.pk}:create",
        )
        model = said.get("Model")
        page = model.get("Url") if said.get("Success") is True and isinstance(model, dict) else None
        if not isinstance(page, str) or urlsplit(page).scheme not in {"http", "https"}:
            raise errors.ProviderUnavailable(_complaint("orders/create", said))
        return Redirect(url=page)

    def verify_payment(self, transaction: Transaction) -> Command | None:
        fields = {"InvoiceId": str(transaction.pk)}
        said = self._ask(transaction.payment_url, "v2/payments/find", fields)
        model = said.get("Model")
        if not isinstance(model, dict) or model.get("Status") != "Completed":
            return None  # nobody has paid yet, or a card was declined and another may follow
        if said.get("Success") is not True or str(model.get("InvoiceId")) != str(transaction.pk):
            raise errors.PaymentMismatch(f"cloudpayments finds {model.get('InvoiceId')!r}"[:200])
        amount, number = wire.from_major(model.get("Amount")), wire.provider_id(model.get("TransactionId"))
        if amount is None or number is None:
            raise errors.WrongAmount(f"cloudpayments: {model.get('Amount')!r} of {transaction.pk}"[:200])
        return Settle(transaction.pk, number, amount, str(model.get("Currency"))[:20], is_taken=True)

    def refund(self, refund: RefundRow) -> str:
        payment = refund.payment
        if refund.created_at < timezone.now() - KEY_LIFETIME:
            # Their memory of our key is over: the same call might give the money back twice.
            raise errors.RefundUnclear(f"{refund.pk} was asked for an hour ago")
        fields = {
            "TransactionId": payment.provider_transaction_id,
            "Amount": str(to_decimal(refund.amount)),
        }
        page = str(payment.metadata.get("payment_url", ""))
        said = self._ask(page, "payments/refund", fields, key=str(refund.pk))
        if said.get("Success") is not True:
            raise errors.RefundRefused(_complaint("payments/refund", said))
        model = said.get("Model")
        number = wire.provider_id(model.get("TransactionId")) if isinstance(model, dict) else None
        return number or f"refund:{refund.pk}"

    def _ask(self, page: str, path: str, fields: Mapping[str, str], *, key: str = "") -> dict[str, Any]:
        """One call; with a key, the same call within an hour is done once. Raises ProviderUnavailable."""
        pair = f"{self.config['public_id']}:{self.config['secret']}"
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        }
        if key:
            headers["X-Request-ID"] = key
        body = urlencode(fields).encode()
        try:
            reply = http.send("POST", f"{self._base(page)}/{path}", body=body, headers=headers)
            said = read_exact(reply.body)
        except http.NoAnswer as error:
            raise errors.ProviderUnavailable(str(error)) from error
        except errors.BadPayload as error:
            raise errors.ProviderUnavailable(f"cloudpayments {path}: {error}"[:200]) from error
        if reply.status != 200 or type(said.get("Success")) is not bool:
            raise errors.ProviderUnavailable(f"cloudpayments {path} answers {reply.status}")
        return said

    def _base(self, page: str) -> str:
        """Where no address is set, the built-in gateway plays them; `page` is an address of ours."""
        if self.config["api_url"]:
            return self.config["api_url"].rstrip("/")
        path = reverse("payments:gateway-api", args=[self.code, "x"]).removesuffix("/x")
        return urljoin(page or settings.SITE_URL, path)

    # --- What it asks us -------------------------------------------------------------------------------

    def process_webhook(self, delivery: Delivery) -> Webhook:
        if not is_signed(delivery.body, delivery.headers, self.config["secret"]):
            raise errors.BadSignature("cloudpayments")
        fields = read_fields(delivery.body, delivery.headers.get("Content-Type", ""))
        kind = delivery.action or self._kind(fields)
        call = Call(kind, fields.get("AccountId", ""))
        if kind not in KINDS:
            raise Refusal(_code(CANNOT), f"unknown kind {kind[:40]}")
        number = wire.provider_id(fields.get("TransactionId"))
        if number is None:
            if kind == "check":
                raise Refusal(_code(CANNOT), "no TransactionId")
            return _kept(call, "", "no TransactionId")
        event_id = _event_id(kind, fields.get("Status", ""), number)
        if kind == "fail":
            # One card was declined; the invoice stays open for another.
            return Webhook(
                event_id, call=call, note=_text(f"{fields.get('ReasonCode')} {fields.get('Reason')}")
            )
        try:
            return Webhook(event_id, (_READERS[kind](fields, number),), call)
        except DomainError as error:
            if kind == "check":
                raise Refusal(_code(_code_of(error)), f"{error.code}: {error}") from error
            return _kept(call, event_id, f"{error.code}: {error}")

    def _kind(self, fields: Mapping[str, str]) -> str:
        """Which notification came to the bare address. A Check looks like a Pay, and must never count as one."""
        if fields.get("OperationType") == "Refund" or "PaymentTransactionId" in fields:
            return "refund"
        if fields.get("ReasonCode", "0") not in {"", "0"}:
            return "fail"
        if self.config["bare_kind"] in KINDS:
            return self.config["bare_kind"]
        return "pay" if _ONLY_PAID & fields.keys() else "check"

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        call: Call = webhook.call
        for outcome in outcomes:
            payment, attempt = outcome.payment, outcome.attempt
            if call.kind == "check" and payment and call.account not in {"", str(payment.user_id)}:
                return _code(WRONG_ACCOUNT)
            is_dead = attempt is not None and attempt.state == PaymentAttempt.State.CANCELLED
            if call.kind in {"pay", "confirm"} and is_dead:
                raise errors.PaymentMismatch("failed before and is paid now")
        return _code(OK)

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        if webhook is None:
            return _code(CANNOT, 401 if isinstance(error, errors.BadSignature) else 200)
        kind = webhook.call.kind
        if kind == "refund" and isinstance(error, errors.NotPaidYet):
            return _code(CANNOT)  # it has overtaken its Pay: both are told again
        if kind != "check":
            return _code(OK)  # anything else would be repeated a hundred times and change nothing
        return _code(_code_of(error))

    def fail(self) -> Answer:
        return _code(CANNOT, 500)


def _code(code: int, status: int = 200) -> Answer:
    return Answer(status, {"code": code})


def _code_of(error: DomainError) -> int:
    """What a Check is answered with."""
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), CANNOT)


def _event_id(kind: str, status: str, number: str) -> str:
    """A notification counts once by its transaction. A Check asks anew each time; a Refund goes by its own number."""
    if kind in {"check", "refund"}:
        return ""
    return wire.provider_id(f"{kind}:{status[:20]}:{number}") or wire.provider_id(f"{kind}:{number}") or ""


def _text(words: str) -> str:
    return words[:200].replace("\0", "")


def _complaint(path: str, said: Mapping[str, Any]) -> str:
    model = said.get("Model")
    reason = model.get("ReasonCode") if isinstance(model, dict) else ""
    return _text(f"cloudpayments {path}: {said.get('Message')} {reason}")


def _kept(call: Call, event_id: str, why: str) -> Webhook:
    return Webhook(event_id, call=call, is_kept=True, note=_text(why))


def signature(message: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def is_signed(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Either header is enough: one is over the body as sent, the other over its URL-decoded text."""
    plain = body.decode(errors="replace")
    decoded = {body, unquote(plain).encode(errors="replace"), unquote_plus(plain).encode(errors="replace")}
    checks = ((RAW, {body}), (DECODED, decoded))
    return any(
        hmac.compare_digest(headers.get(name, "").encode(), signature(message, secret).encode())
        for name, messages in checks
        for message in messages
    )


def read_exact(body: bytes) -> dict[str, Any]:
    """A JSON object whose decimals stay the texts they were: no binary fractions of money. Raises BadPayload."""
    wire.read_object(body)
    said: dict[str, Any] = json.loads(body, parse_float=str)
    for place in (said, said.get("Model")):
        if isinstance(place, dict) and type(place.get("Amount")) is int:
            place["Amount"] = str(place["Amount"])
    return said


def read_fields(body: bytes, content_type: str) -> dict[str, str]:
    """A notification's fields as texts: a form, or JSON where the cabinet says so. Raises BadPayload."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return wire.read_form(body)
    said = read_exact(body)
    return {name: str(value) for name, value in said.items() if type(value) in {str, int}}


def _reference(fields: Mapping[str, str]) -> UUID:
    reference = wire.reference(fields.get("InvoiceId"))
    if reference is None:
        raise errors.UnknownPayment(f"cloudpayments: {fields.get('InvoiceId')!r}"[:200])
    return reference


def _amount(fields: Mapping[str, str]) -> int:
    text = fields.get("Amount", "")
    amount = wire.from_major(text)
    if amount is None:
        raise errors.WrongAmount(f"cloudpayments: {text!r}"[:200])
    return amount


def _check(fields: Mapping[str, str], number: str) -> Command:
    return Check(_reference(fields), _amount(fields), fields.get("Currency", "")[:20], provider_id=number)


def _pay(fields: Mapping[str, str], number: str) -> Command:
    reference, amount, currency = _reference(fields), _amount(fields), fields.get("Currency", "")[:20]
    status = fields.get("Status")
    if status == "Authorized":
        return Authorize(reference, number, amount, currency)  # held: Confirm or Cancel follows
    if status != "Completed":
        raise errors.PaymentMismatch(f"cloudpayments: Status is {status!r}"[:200])
    # The payer has lost the money whatever we think of the payment.
    return Settle(reference, number, amount, currency, is_taken=True)


def _confirm(fields: Mapping[str, str], number: str) -> Command:
    return Settle(
        _reference(fields), number, _amount(fields), fields.get("Currency", CURRENCY)[:20], is_taken=True
    )


def _cancel(fields: Mapping[str, str], number: str) -> Command:
    return Cancel(_reference(fields), number, reason="CloudPayments: cancelled", declined=False)


def _refund(fields: Mapping[str, str], number: str) -> Command:
    paid = wire.provider_id(fields.get("PaymentTransactionId"))
    if paid is None:
        raise errors.UnknownPayment("cloudpayments: a refund of nothing")
    reference = wire.reference(fields.get("InvoiceId"))
    currency = fields.get("Currency") or CURRENCY
    return Refund(reference, paid, currency[:20], amount=_amount(fields), refund_id=number)


_READERS: dict[str, Callable[[Mapping[str, str], str], Command]] = {
    "check": _check,
    "pay": _pay,
    "refund": _refund,
    "confirm": _confirm,
    "cancel": _cancel,
}
