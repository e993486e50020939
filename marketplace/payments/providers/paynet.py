"""Paynet: its gateway calls us, JSON-RPC 2.0 over POST with HTTP Basic; PerformTransaction is the payment itself.

Amounts are whole tiyin, times are "YYYY-MM-DD HH:MM:SS" of Tashkent, our number of a try goes back as `providerTrnId`.
Source: reference, section Paynet; the contract's copy decides where implementations disagree (docs/payments/paynet.md).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urljoin
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from marketplace.core.errors import DomainError
from marketplace.core.money import to_decimal
from marketplace.payments import errors, selectors
from marketplace.payments.models import PaymentAttempt, PaymentMethod, Transaction
from marketplace.payments.providers import basic, wire
from marketplace.payments.providers.base import (
    Answer,
    Cancel,
    ChangeSecret,
    Check,
    Delivery,
    Find,
    Outcome,
    PaymentProvider,
    Redirect,
    Refusal,
    Settle,
    Statement,
    Webhook,
)

ACCOUNT_FIELD = "transaction_id"
ZONE = ZoneInfo("Asia/Tashkent")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
SHORTEST_PASSWORD = 6

NOT_POST = -32300
NOT_JSON = -32700
BAD_REQUEST = -32600
NO_METHOD = -32601
BAD_PARAMS = -32602
BROKEN = -32603
CANNOT_TAKE_BACK = 77
UNKNOWN_ERROR = 103
EXISTS = 201
IS_CANCELLED = 202
NOT_FOUND = 203
NO_CLIENT = 302
NO_SERVICE = 305
MISSING = 411
NO_ACCESS = 412
WRONG_AMOUNT = 413
WRONG_TIME = 414
TOO_MUCH = 415

_MESSAGES = {
    NOT_POST: "Only POST requests are taken",
    NOT_JSON: "Parse error",
    BAD_REQUEST: "Invalid request",
    NO_METHOD: "Method not found",
    BAD_PARAMS: "Invalid params",
    BROKEN: "Internal error",
    CANNOT_TAKE_BACK: "Not enough funds on the account to cancel",
    UNKNOWN_ERROR: "Unknown error",
    EXISTS: "Transaction already exists",
    IS_CANCELLED: "Transaction already cancelled",
    NOT_FOUND: "Transaction not found",
    NO_CLIENT: "Client not found",
    NO_SERVICE: "Service not found",
    MISSING: "Required parameter missing",
    NO_ACCESS: "Wrong login or password",
    WRONG_AMOUNT: "Wrong amount",
    WRONG_TIME: "Wrong date or time format",
    TOO_MUCH: "Amount above the limit",
}
# What our services refuse, in Paynet's numbers. A paid deposit cannot be told from one that is not there.
_CODES: dict[type[DomainError], int] = {
    errors.UnknownPayment: NO_CLIENT,
    errors.AlreadyPaid: NO_CLIENT,
    errors.PaymentNotOpen: NO_CLIENT,
    errors.WrongAmount: WRONG_AMOUNT,
    errors.PaymentMismatch: EXISTS,
    errors.UnknownAttempt: NOT_FOUND,
    errors.AlreadySpent: CANNOT_TAKE_BACK,
}
_SUCCESSFUL, _CANCELLED, _NOT_THERE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    id: Any
    params: dict[str, Any]


class PaynetProvider(PaymentProvider):
    code = "paynet"
    uses_basic = True

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """No call is needed: the link carries the payment. What it carries proves nothing."""
        template = self.config["link_url"]
        if not template:
            page = urljoin(return_url, reverse("payments:gateway", args=[self.code]))
            template = f"{page}?m={{merchant}}&c={{reference}}&a={{tiyin}}&r={{return_url}}"
        for name, value in {
            "merchant": self.config["merchant_id"] or self.config["service_id"],
            "reference": str(transaction.pk),
            "tiyin": str(transaction.amount),
            "amount": f"{to_decimal(transaction.amount):f}",
            "return_url": return_url,
        }.items():
            template = template.replace(f"{{{name}}}", quote(value, safe=""))
        return Redirect(url=template)

    def knows_method(self, method: str) -> bool:  # noqa: ARG002
        """Paynet hears of a wrong HTTP method in its own words."""
        return True

    def kept_body(self, body: bytes) -> bytes:
        """Without the password that ChangePassword carries, whoever sent it and however it is written."""
        try:
            data = wire.read_json(body)
        except errors.BadPayload:
            return body if b"assword" not in body else b""
        params = data.get("params") if isinstance(data, dict) else None
        if not isinstance(params, dict) or "newPassword" not in params:
            return body
        return json.dumps({**data, "params": {**params, "newPassword": None}}).encode()

    def process_webhook(self, delivery: Delivery) -> Webhook:
        if delivery.method != "POST":
            raise _refusal(NOT_POST, is_signed=False)
        try:
            data = wire.read_json(delivery.body)
        except errors.BadPayload as error:
            # Credentials come first, whatever the body is.
            self._authenticate(delivery, None)
            raise _refusal(NOT_JSON, why=str(error)) from error
        call_id = data.get("id") if isinstance(data, dict) else None
        call_id = call_id if isinstance(call_id, int | str) else None
        self._authenticate(delivery, call_id)
        call = _call(data, call_id)
        service = _required(call, "serviceId")
        if type(service) is not int or str(service) != self.config["service_id"]:
            raise _refusal(NO_SERVICE, call_id)
        return Webhook(commands=(_READERS[call.method](call),), call=call)

    def _authenticate(self, delivery: Delivery, call_id: Any) -> None:
        kept = delivery.headers.get(basic.HEADER, "")
        password = selectors.secret_of(self.code, default=self.config["password"])
        if not basic.is_right(kept, login=self.config["login"], password=password):
            raise Refusal(_error(NO_ACCESS, call_id, status=401), "paynet 412", is_signed=False)

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        call: Call = webhook.call
        outcome, attempt = outcomes[0], outcomes[0].attempt
        if call.method == "GetInformation":
            return _result(call, _information(outcome))
        if call.method == "GetStatement":
            return _result(call, {"statements": _lines(outcome.attempts)})
        if call.method == "ChangePassword":
            return _result(call, "success")
        assert attempt is not None  # noqa: S101  # nosec B101 (the other commands give one)
        if call.method == "CheckTransaction":
            return _result(call, self._state(attempt))
        if outcome.is_repeat:
            return _error(EXISTS if call.method == "PerformTransaction" else IS_CANCELLED, call.id)
        if call.method == "PerformTransaction":
            # The contract wants a `balance`; zero says nothing about the payer's wallet.
            result = {"providerTrnId": attempt.pk, "timestamp": _written(attempt.captured_at)}
            return _result(call, {**result, "fields": {"balance": 0}})
        result = {"providerTrnId": attempt.pk, "timestamp": _written(attempt.ended_at)}
        return _result(call, {**result, "transactionState": _CANCELLED})

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        call: Call | None = webhook.call if webhook else None
        code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), UNKNOWN_ERROR)
        if call is None:
            return _error(BAD_REQUEST, None)
        if code == NOT_FOUND and call.method == "CheckTransaction":
            return _result(call, self._state(None))
        if code == WRONG_AMOUNT and self._is_too_much(call.params["amount"]):
            code = TOO_MUCH
        return _error(code, call.id)

    def fail(self) -> Answer:
        return _error(BROKEN, None)

    def _state(self, attempt: PaymentAttempt | None) -> dict[str, Any]:
        """How a try stands; one that we do not know is an answer too, not an error."""
        time_format = self.config["check_time_format"]
        if attempt is None:
            state, at = _NOT_THERE, timezone.now()
        elif attempt.state == PaymentAttempt.State.CAPTURED:
            state, at = _SUCCESSFUL, attempt.captured_at or attempt.opened_at
        else:
            state, at = _CANCELLED, attempt.ended_at or attempt.opened_at
        return {
            "transactionState": state,
            "timestamp": _written(at, time_format),
            "providerTrnId": attempt.pk if attempt else 0,
        }

    def _is_too_much(self, amount: int) -> bool:
        limit = PaymentMethod.objects.filter(code=self.code).values_list("max_amount", flat=True).first()
        return limit is not None and amount > limit


def _call(data: Any, call_id: Any) -> Call:
    if not isinstance(data, dict) or not isinstance(data.get("method"), str):
        raise _refusal(BAD_REQUEST, call_id)
    if data["method"] not in _READERS:
        raise _refusal(NO_METHOD, call_id, why=data["method"][:100])
    if not isinstance(data.get("params"), dict):
        raise _refusal(BAD_PARAMS, call_id)
    return Call(data["method"], call_id, data["params"])


def _required(call: Call, name: str) -> Any:
    value = call.params.get(name)
    if value is None:
        raise _refusal(MISSING, call.id, why=name)
    return value


def _reference(call: Call) -> UUID:
    fields = _required(call, "fields")
    if not isinstance(fields, dict):
        raise _refusal(BAD_PARAMS, call.id, why="fields")
    if ACCOUNT_FIELD not in fields:
        raise _refusal(MISSING, call.id, why=ACCOUNT_FIELD)
    reference = wire.reference(fields[ACCOUNT_FIELD])
    if reference is None:  # no such client, not a malformed request
        raise _refusal(NO_CLIENT, call.id)
    return reference


def _transaction(call: Call) -> str:
    number = _required(call, "transactionId")
    if type(number) is not int or not 0 < number < 2**63:
        raise _refusal(BAD_PARAMS, call.id, why="transactionId")
    return str(number)


def _time(call: Call, value: object) -> datetime:
    moment = wire.moment(value, ZONE)
    if moment is None:
        raise _refusal(WRONG_TIME, call.id)
    return moment


def _information_of(call: Call) -> Check:
    return Check(_reference(call))


def _perform(call: Call) -> Settle:
    number, amount = _transaction(call), _required(call, "amount")
    if type(amount) is not int or amount <= 0:
        raise _refusal(WRONG_AMOUNT, call.id)
    # One implementation calls it `time`; without either our own clock counts.
    at = call.params.get("transactionTime", call.params.get("time"))
    time = _time(call, at) if at is not None else None
    return Settle(_reference(call), number, amount, "UZS", time=time)


def _find(call: Call) -> Find:
    return Find(_transaction(call))


def _cancel(call: Call) -> Cancel:
    return Cancel(None, _transaction(call), reason="Paynet", closes=False, takes_back=True)


def _statement(call: Call) -> Statement:
    since, until = _required(call, "dateFrom"), _required(call, "dateTo")
    return Statement(_time(call, since), _time(call, until))


def _change_password(call: Call) -> ChangeSecret:
    password = _required(call, "newPassword")
    if not isinstance(password, str) or len(password) < SHORTEST_PASSWORD or not wire.provider_id(password):
        raise _refusal(BAD_PARAMS, call.id, why="newPassword")
    return ChangeSecret(password)


_READERS: dict[str, Callable[[Call], Any]] = {
    "GetInformation": _information_of,
    "PerformTransaction": _perform,
    "CheckTransaction": _find,
    "CancelTransaction": _cancel,
    "GetStatement": _statement,
    "ChangePassword": _change_password,
}


def _information(outcome: Outcome) -> dict[str, Any]:
    """What the payer is shown before paying: the amount in soʻm, and nothing about the person."""
    amount = outcome.payment.amount if outcome.payment else 0
    fields = {"amount": f"{to_decimal(amount):f}"}
    return {"status": "0", "timestamp": _written(timezone.now()), "fields": fields}


def _lines(attempts: Sequence[PaymentAttempt]) -> list[dict[str, Any]]:
    """The statement, by Paynet's clock; what was cancelled is left out."""
    return [
        {
            "amount": attempt.amount,
            "providerTrnId": attempt.pk,
            "transactionId": int(attempt.provider_id),
            "timestamp": _written(attempt.provider_time),
        }
        for attempt in attempts
        if attempt.state == PaymentAttempt.State.CAPTURED
    ]


def _written(at: datetime | None, time_format: str = TIME_FORMAT) -> str:
    return at.astimezone(ZONE).strftime(time_format) if at else ""


def _result(call: Call, result: Any) -> Answer:
    return Answer(200, {"jsonrpc": "2.0", "id": call.id, "result": result})


def _error(code: int, call_id: Any, *, status: int = 200) -> Answer:
    error = {"code": code, "message": _MESSAGES[code]}
    return Answer(status, {"jsonrpc": "2.0", "id": call_id, "error": error})


def _refusal(code: int, call_id: Any = None, *, why: str = "", is_signed: bool = True) -> Refusal:
    return Refusal(_error(code, call_id), f"paynet {code} {why}".strip(), is_signed=is_signed)
