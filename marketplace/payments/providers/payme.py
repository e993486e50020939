"""Payme (Paycom) Merchant API: Payme's billing calls us, JSON-RPC 2.0 over POST, always answered with HTTP 200.

Source: developer.help.paycom.uz, Merchant API: protocol, methods, errors, sandbox. Amounts are whole tiyin, times are
milliseconds since the epoch by Payme's clock, `account` is {"transaction_id": "<our deposit's id>"}.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError
from marketplace.payments import errors
from marketplace.payments.models import PaymentAttempt, Transaction
from marketplace.payments.providers import basic, wire
from marketplace.payments.providers.base import (
    Answer,
    Authorize,
    Cancel,
    Check,
    Delivery,
    Find,
    Note,
    Outcome,
    PaymentProvider,
    Redirect,
    Refusal,
    Settle,
    Statement,
    Webhook,
)

LIFETIME = timedelta(hours=12)
ACCOUNT_FIELD = "transaction_id"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_000  # the end of the year 9999
_STATES = {
    PaymentAttempt.State.OPEN: 1,
    PaymentAttempt.State.CAPTURED: 2,
    PaymentAttempt.State.CANCELLED: -1,
    PaymentAttempt.State.REFUNDED: -2,
}

NOT_POST = -32300
NOT_JSON = -32700
BAD_REQUEST = -32600
NO_METHOD = -32601
BAD_PARAMS = -32602
NO_ACCESS = -32504
BROKEN = -32400
NO_RECEIPT = -32001
WRONG_AMOUNT = -31001
NOT_FOUND = -31003
CANNOT_CANCEL = -31007
CANNOT_DO = -31008
NO_ACCOUNT = -31050
ACCOUNT_PAID = -31051
ACCOUNT_CLOSED = -31052

_MESSAGES: dict[int, Promise] = {
    NOT_POST: _("Only POST requests are taken."),
    NOT_JSON: _("The request is not valid JSON."),
    BAD_REQUEST: _("The request lacks a member, or one has a wrong type."),
    NO_METHOD: _("There is no such method."),
    BAD_PARAMS: _("The parameters are wrong."),
    NO_ACCESS: _("Not enough privileges."),
    BROKEN: _("A system error. Try again later."),
    NO_RECEIPT: _("There is no such receipt."),
    WRONG_AMOUNT: _("The amount is wrong."),
    NOT_FOUND: _("There is no such transaction."),
    CANNOT_CANCEL: _("The money is spent: the transaction cannot be cancelled."),
    CANNOT_DO: _("This cannot be done in the present state."),
    NO_ACCOUNT: _("There is no such payment."),
    ACCOUNT_PAID: _("This payment is paid already."),
    ACCOUNT_CLOSED: _("This payment was cancelled."),
}
# What our services refuse, in Payme's numbers.
_CODES: dict[type[DomainError], int] = {
    errors.UnknownPayment: NO_ACCOUNT,
    errors.AlreadyPaid: ACCOUNT_PAID,
    errors.PaymentNotOpen: ACCOUNT_CLOSED,
    errors.WrongAmount: WRONG_AMOUNT,
    errors.PaymentMismatch: CANNOT_DO,
    errors.AttemptBusy: CANNOT_DO,
    errors.AttemptExpired: CANNOT_DO,
    errors.UnknownAttempt: NOT_FOUND,
    errors.AlreadySpent: CANNOT_CANCEL,
}
# Errors of the account exist for these two methods only; the others answer that the state does not allow it.
_KNOWS_ACCOUNT = {"CheckPerformTransaction", "CreateTransaction"}


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    id: Any
    params: dict[str, Any]


class PaymeProvider(PaymentProvider):
    code = "payme"
    uses_basic = True

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """No call is needed: the checkout's address carries the payment. What it carries proves nothing."""
        fields = {
            "m": self.config["merchant_id"],
            f"ac.{ACCOUNT_FIELD}": str(transaction.pk),
            "a": str(transaction.amount),
            "l": transaction.user.language,
            "c": return_url,
        }
        base = self.config["checkout_url"] or urljoin(
            return_url, reverse("payments:gateway", args=[self.code])
        )
        return Redirect(url=checkout_link(base, fields))

    def knows_method(self, method: str) -> bool:  # noqa: ARG002
        """Payme wants to hear of a wrong HTTP method in its own words."""
        return True

    def process_webhook(self, delivery: Delivery) -> Webhook:
        if delivery.method != "POST":
            raise _refusal(NOT_POST, is_signed=False)
        call_id: Any = None
        try:
            data = wire.read_json(delivery.body)
        except errors.BadPayload as error:
            # Credentials come first, whatever the body is.
            self._authenticate(delivery, None)
            raise _refusal(NOT_JSON, why=str(error)) from error
        if isinstance(data, dict) and isinstance(data.get("id"), int | str):
            call_id = data["id"]
        self._authenticate(delivery, call_id)
        return _webhook(_call(data, call_id))

    def _authenticate(self, delivery: Delivery, call_id: Any) -> None:
        kept = delivery.headers.get(basic.HEADER, "")
        if not basic.is_right(kept, login=self.config["login"], password=self.config["key"]):
            raise _refusal(NO_ACCESS, call_id, is_signed=False)

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        call: Call = webhook.call
        result = _RESULTS[call.method](outcomes[0])
        if isinstance(result, int):
            return _error(result, call.id)
        return Answer(200, {"result": result, "id": call.id})

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        call: Call | None = webhook.call if webhook else None
        code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), CANNOT_DO)
        if call is None:
            return _error(BAD_REQUEST, None)
        if code in {NO_ACCOUNT, ACCOUNT_PAID, ACCOUNT_CLOSED} and call.method not in _KNOWS_ACCOUNT:
            code = CANNOT_DO
        if call.method == "SetFiscalData" and code == NOT_FOUND:
            code = NO_RECEIPT
        return _error(code, call.id)

    def fail(self) -> Answer:
        return _error(BROKEN, None)


def checkout_link(base: str, fields: dict[str, str]) -> str:
    """The address of Payme's page: base64 of "name=value;…". Empty values are left out."""
    text = ";".join(f"{name}={value}" for name, value in fields.items() if value)
    return f"{base.rstrip('/')}/{base64.b64encode(text.encode()).decode()}"


def to_ms(moment: datetime | None) -> int:
    """Milliseconds since the epoch; 0 for what has not happened."""
    return (moment - _EPOCH) // timedelta(milliseconds=1) if moment else 0


def from_ms(value: object) -> datetime | None:
    return _EPOCH + timedelta(milliseconds=value) if type(value) is int and 0 <= value <= _LAST_MS else None


def _error(code: int, call_id: Any, data: str | None = None) -> Answer:
    message = {}
    for language in ("ru", "uz", "en"):
        with translation.override(language):
            message[language] = str(_MESSAGES[code])
    if data is None and code in {NO_ACCOUNT, ACCOUNT_PAID, ACCOUNT_CLOSED}:
        data = ACCOUNT_FIELD
    return Answer(200, {"error": {"code": code, "message": message, "data": data}, "id": call_id})


def _refusal(
    code: int, call_id: Any = None, *, data: str | None = None, why: str = "", is_signed: bool = True
) -> Refusal:
    return Refusal(
        _error(code, call_id, data), why or f"payme {code} {data or ''}".strip(), is_signed=is_signed
    )


def _call(data: Any, call_id: Any) -> Call:
    """The members of a request. The `jsonrpc` member may be missing."""
    if not isinstance(data, dict):
        raise _refusal(BAD_REQUEST)
    method, params = data.get("method"), data.get("params")
    if not isinstance(method, str) or not isinstance(params, dict):
        raise _refusal(BAD_REQUEST, call_id)
    if method not in _READERS:
        raise _refusal(NO_METHOD, call_id, data=method[:100])
    return Call(method, call_id, params)


def _webhook(call: Call) -> Webhook:
    return Webhook(commands=(_READERS[call.method](call),), call=call)


def _id(call: Call) -> str:
    value = wire.provider_id(call.params.get("id"))
    if value is None:
        raise _refusal(BAD_PARAMS, call.id, data="id")
    return value


def _account(call: Call) -> Any:
    account = call.params.get("account")
    if not isinstance(account, dict):
        raise _refusal(BAD_PARAMS, call.id, data="account")
    reference = wire.reference(account.get(ACCOUNT_FIELD))
    if reference is None:  # no such account, not a malformed request
        raise _refusal(NO_ACCOUNT, call.id)
    return reference


def _amount(call: Call) -> int:
    amount = wire.minor(call.params.get("amount"))
    if amount is None:
        raise _refusal(WRONG_AMOUNT, call.id)
    return amount


def _time(call: Call, name: str) -> datetime:
    moment = from_ms(call.params.get(name))
    if moment is None:
        raise _refusal(BAD_PARAMS, call.id, data=name)
    return moment


def _check(call: Call) -> Check:
    return Check(_account(call), _amount(call))


def _create(call: Call) -> Authorize:
    return Authorize(
        provider_id=_id(call),
        time=_time(call, "time"),
        reference=_account(call),
        amount=_amount(call),
        currency="UZS",
        lifetime=LIFETIME,
        is_exclusive=True,
    )


def _perform(call: Call) -> Settle:
    return Settle(None, _id(call))


def _cancel(call: Call) -> Cancel:
    code = call.params.get("reason")
    if type(code) is not int or not -(2**31) <= code < 2**31:
        raise _refusal(BAD_PARAMS, call.id, data="reason")
    return Cancel(None, _id(call), reason=f"Payme {code}", code=code, closes=False, takes_back=True)


def _find(call: Call) -> Find:
    return Find(_id(call))


def _statement(call: Call) -> Statement:
    return Statement(_time(call, "from"), _time(call, "to"))


def _fiscal(call: Call) -> Note:
    kind, data = call.params.get("type"), call.params.get("fiscal_data")
    if kind not in {"PERFORM", "CANCEL"} or not isinstance(data, dict):
        raise _refusal(BAD_PARAMS, call.id, data="fiscal_data")
    return Note(_id(call), {f"fiscal_{kind.lower()}": data})


_READERS: dict[str, Callable[[Call], Any]] = {
    "CheckPerformTransaction": _check,
    "CreateTransaction": _create,
    "PerformTransaction": _perform,
    "CancelTransaction": _cancel,
    "CheckTransaction": _find,
    "GetStatement": _statement,
    "SetFiscalData": _fiscal,
}


def _attempt(outcome: Outcome) -> PaymentAttempt:
    assert outcome.attempt is not None  # noqa: S101  # nosec B101 (each of these commands gives one)
    return outcome.attempt


def _created(outcome: Outcome) -> dict[str, Any] | int:
    attempt = _attempt(outcome)
    if attempt.state != PaymentAttempt.State.OPEN:
        return CANNOT_DO
    return {
        "create_time": to_ms(attempt.opened_at),
        "transaction": str(attempt.pk),
        "state": 1,
        "receivers": None,
    }


def _performed(outcome: Outcome) -> dict[str, Any] | int:
    attempt = _attempt(outcome)
    if attempt.state != PaymentAttempt.State.CAPTURED:
        return CANNOT_DO
    return {"transaction": str(attempt.pk), "perform_time": to_ms(attempt.captured_at), "state": 2}


def _cancelled(outcome: Outcome) -> dict[str, Any]:
    attempt = _attempt(outcome)
    return {
        "transaction": str(attempt.pk),
        "cancel_time": to_ms(attempt.ended_at),
        "state": _STATES[PaymentAttempt.State(attempt.state)],
    }


def _facts(attempt: PaymentAttempt) -> dict[str, Any]:
    return {
        "create_time": to_ms(attempt.opened_at),
        "perform_time": to_ms(attempt.captured_at),
        "cancel_time": to_ms(attempt.ended_at),
        "transaction": str(attempt.pk),
        "state": _STATES[PaymentAttempt.State(attempt.state)],
        "reason": attempt.reason,
    }


def _line(attempt: PaymentAttempt) -> dict[str, Any]:
    return {
        "id": attempt.provider_id,
        "time": to_ms(attempt.provider_time),
        "amount": attempt.amount,
        "account": {ACCOUNT_FIELD: str(attempt.payment_id)},
        **_facts(attempt),
        "receivers": None,
    }


_RESULTS: dict[str, Callable[[Outcome], dict[str, Any] | int]] = {
    "CheckPerformTransaction": lambda _outcome: {"allow": True},
    "CreateTransaction": _created,
    "PerformTransaction": _performed,
    "CancelTransaction": _cancelled,
    "CheckTransaction": lambda outcome: _facts(_attempt(outcome)),
    "GetStatement": lambda outcome: {"transactions": [_line(attempt) for attempt in outcome.attempts]},
    "SetFiscalData": lambda _outcome: {"success": True},
}
