"""The gateway as Stripe: sessions and refunds by its API, a checkout page, and signed events to the merchant's endpoint."""

import json
import secrets
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from stripe import WebhookSignature

from marketplace.core import http
from marketplace.payments.errors import BadPayload
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers import wire

CODE = "stripe"
State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    """The checkout's address names the session that our adapter has opened."""
    return _by_session(request.GET.get("session", ""))


def _by_session(number: str) -> SandboxPayment | None:
    return _known(details__session=wire.provider_id(number))


def _by_intent(number: str) -> SandboxPayment | None:
    return _known(details__intent=wire.provider_id(number))


def _known(**number: str | None) -> SandboxPayment | None:
    if None in number.values():
        return None
    return SandboxPayment.objects.filter(provider=CODE, **number).first()


# --- The API ------------------------------------------------------------------------------------------


def api(request: HttpRequest, rest: str) -> HttpResponse:
    key = settings.PAYMENT_CONFIG[CODE]["secret_key"]
    if request.headers.get("Authorization") != f"Bearer {key}":
        return _wrong(401, "Invalid API Key provided")
    path = rest.strip("/").split("/")
    try:
        fields = wire.read_form(request.body)
    except BadPayload:
        return _wrong(400, "Unreadable request")
    if (request.method, path) == ("POST", ["v1", "checkout", "sessions"]):
        return _open(request, fields)
    if request.method == "GET" and path[:3] == ["v1", "checkout", "sessions"] and len(path) == 4:
        payment = _by_session(path[3])
        return JsonResponse(_session(payment)) if payment else _wrong(404, "No such session")
    if path == ["v1", "refunds"]:
        return _refunds(request, fields)
    return _wrong(404, f"Unrecognized request URL ({request.method}: /{rest})")


def _wrong(status: int, message: str, code: str = "") -> HttpResponse:
    error = {"type": "invalid_request_error", "message": message, "code": code}
    return JsonResponse({"error": error}, status=status)


def _open(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    price = "line_items[0][price_data]"
    amount = fields.get(f"{price}[unit_amount]", "")
    payment = book(
        CODE,
        order=fields.get("client_reference_id", ""),
        amount=int(amount[:20]) if amount.isascii() and amount.isdigit() else None,
        currency=fields.get(f"{price}[currency]", "").upper(),
        return_url=fields.get("success_url", ""),
        session=f"cs_test_{secrets.token_hex(12)}",
        intent=f"pi_{secrets.token_hex(12)}",
        metadata=fields.get("payment_intent_data[metadata][transaction_id]", ""),
    )
    if payment is None:
        return _wrong(400, "Invalid parameters")
    page = request.build_absolute_uri(reverse("payments:gateway", args=[CODE]))
    payment.details |= {"url": f"{page}?session={payment.details['session']}"}
    payment.save(update_fields=["details"])
    return JsonResponse(_session(payment))


def _refunds(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    if request.method == "GET":
        payment = _by_intent(request.GET.get("payment_intent", ""))
        rows = payment.details.get("refunds", []) if payment else []
        return JsonResponse({"object": "list", "url": "/v1/refunds", "has_more": False, "data": rows})
    payment = _by_intent(fields.get("payment_intent", ""))
    if payment is None or payment.state == State.CREATED:
        return _wrong(404, "No such payment_intent", "resource_missing")
    key = request.headers.get("Idempotency-Key", "")
    made = next((row for row in payment.details.get("refunds", []) if key and row["key"] == key), None)
    if made is None:
        left = payment.amount - payment.details.get("refunded", 0)
        asked = fields.get("amount", str(left))
        amount = int(asked[:20]) if asked.isascii() and asked.isdigit() else 0
        if not left:
            return _wrong(400, "Charge has already been refunded.", "charge_already_refunded")
        if not 0 < amount <= left:
            return _wrong(400, "Refund amount is greater than unrefunded amount", "amount_too_large")
        made = _give_back(payment, amount, key, fields.get("metadata[refund_id]", ""))
        Events(Stage(payment, f"{request.scheme}://{request.get_host()}")).refunded()
    return JsonResponse(made)


def _give_back(payment: SandboxPayment, amount: int, key: str = "", refund_id: str = "") -> dict[str, Any]:
    made = {
        "id": f"re_{secrets.token_hex(12)}",
        "object": "refund",
        "amount": amount,
        "currency": payment.currency.lower(),
        "payment_intent": payment.details["intent"],
        "metadata": {"refund_id": refund_id},
        "status": "succeeded",
        "key": key,
    }
    total = payment.details.get("refunded", 0) + amount
    payment.details |= {"refunded": total, "refunds": [*payment.details.get("refunds", []), made]}
    payment.state = State.REFUNDED if total == payment.amount else payment.state
    payment.save(update_fields=["details", "state"])
    return made


def _session(payment: SandboxPayment, **changed: Any) -> dict[str, Any]:
    is_paid = payment.state in {State.PAID, State.REFUNDED}
    return {
        "id": payment.details["session"],
        "object": "checkout.session",
        "url": payment.details.get("url", ""),
        "client_reference_id": str(payment.order),
        "metadata": {"transaction_id": str(payment.order)},
        "amount_total": payment.amount,
        "currency": payment.currency.lower(),
        "mode": "payment",
        "status": "complete" if is_paid else "expired" if payment.state == State.DECLINED else "open",
        "payment_status": "paid" if is_paid else "unpaid",
        "payment_intent": payment.details["intent"] if is_paid else None,
        **changed,
    }


# --- Events -------------------------------------------------------------------------------------------


class Events:
    """What Stripe tells the endpoint about one payment."""

    def __init__(self, stage: Stage, *, secret: str | None = None) -> None:
        self.stage = stage
        self.secret = settings.PAYMENT_CONFIG[CODE]["webhook_secret"] if secret is None else secret

    def tell(self, kind: str, about: dict[str, Any], *, times: int = 1) -> http.Reply:
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": about},
        }
        body = json.dumps(event)
        header = WebhookSignature.generate_signature_header(body, self.secret)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}
        replies = [self.stage.call(kind, body=body.encode(), headers=headers) for _time in range(times)]
        return replies[-1]

    def session(self, kind: str, *, times: int = 1, **changed: Any) -> http.Reply:
        return self.tell(f"checkout.session.{kind}", _session(self.stage.payment, **changed), times=times)

    def completed(self, *, times: int = 1, is_paid: bool = True) -> http.Reply:
        return self.session(
            "completed",
            times=times,
            status="complete",
            payment_status="paid" if is_paid else "unpaid",
            payment_intent=self.stage.payment.details["intent"],
        )

    def arrived(self) -> http.Reply:
        intent = self.stage.payment.details["intent"]
        return self.session(
            "async_payment_succeeded", status="complete", payment_status="paid", payment_intent=intent
        )

    def refunded(self) -> http.Reply:
        payment = self.stage.payment
        total = payment.details.get("refunded", 0)
        return self.tell(
            "charge.refunded",
            {**self._charge(), "amount_refunded": total, "refunded": total == payment.amount},
        )

    def dispute(self, kind: str, status: str) -> http.Reply:
        number = self.stage.payment.details.get("dispute") or f"dp_{secrets.token_hex(12)}"
        self.stage.keep(dispute=number)
        return self.tell(
            f"charge.dispute.{kind}",
            {**self._charge(), "id": number, "object": "dispute", "metadata": {}, "status": status},
        )

    def _charge(self) -> dict[str, Any]:
        payment = self.stage.payment
        return {
            "id": f"ch_{payment.pk.hex}",
            "object": "charge",
            "amount": payment.amount,
            "currency": payment.currency.lower(),
            "payment_intent": payment.details["intent"],
            "metadata": {"transaction_id": payment.details.get("metadata", "")},
        }


def pay(stage: Stage) -> None:
    stage.move(State.PAID)
    Events(stage).completed()


def decline(stage: Stage) -> None:
    """One card is declined; the session stays open for another."""
    intent = {"id": stage.payment.details["intent"], "object": "payment_intent"}
    Events(stage).tell(
        "payment_intent.payment_failed", {**intent, "last_payment_error": {"code": "card_declined"}}
    )


def expire(stage: Stage) -> None:
    stage.move(State.DECLINED)
    Events(stage).session("expired", status="expired")


def later(stage: Stage) -> None:
    events = Events(stage)
    events.completed(is_paid=False)
    stage.move(State.PAID)
    events.arrived()


def twice(stage: Stage) -> None:
    """The same event again, and another event of the same fact."""
    stage.move(State.PAID)
    events = Events(stage)
    events.completed(times=2)
    events.arrived()


def out_of_order(stage: Stage) -> None:
    stage.move(State.PAID)
    events = Events(stage)
    events.arrived()
    events.completed(is_paid=False)
    events.session("expired", status="expired", payment_intent=None)


def forged(stage: Stage) -> None:
    Events(stage, secret="whsec_guess").completed()  # noqa: S106  # nosec B106 (a wrong one, on purpose)


def refund(stage: Stage) -> None:
    _give_back(stage.payment, stage.payment.amount - stage.payment.details.get("refunded", 0))
    Events(stage).refunded()


def refund_part(stage: Stage) -> None:
    left = stage.payment.amount - stage.payment.details.get("refunded", 0)
    _give_back(stage.payment, max(left // 2, 1))
    Events(stage).refunded()


PLAY = Play(
    CODE,
    "Stripe",
    read,
    (
        Button("pay", _("Pay"), pay, icon="check"),
        Button("decline", _("Decline"), decline, icon="x"),
        Button("later", _("Pay later"), later, _("A method whose money comes days after."), "hourglass"),
        Button("expire", _("Let it expire"), expire, _("Nobody paid in time."), "clock"),
        Button(
            "twice", _("Deliver twice"), twice, _("Each call comes two times; the money counts once."), "copy"
        ),
        Button("disorder", _("Out of order"), out_of_order, _("The last call comes first."), "arrow-down-up"),
        Button("forged", _("Wrong signature"), forged, _("The shop must not believe it."), "shield-alert"),
        Button(
            "refund",
            _("Give the money back"),
            refund,
            _("As the company's own support would."),
            "undo-2",
            State.PAID,
        ),
        Button("part", _("Give half back"), refund_part, _("A part of the payment."), "undo-2", State.PAID),
        Button(
            "contest",
            _("Contest"),
            lambda stage: Events(stage).dispute("created", "needs_response"),
            _("The card's holder writes to the bank."),
            "shield-alert",
            State.PAID,
        ),
        Button(
            "won",
            _("Decide for the shop"),
            lambda stage: Events(stage).dispute("closed", "won"),
            _("The bank ends the dispute."),
            "check",
            State.PAID,
        ),
        Button(
            "lost",
            _("Decide for the payer"),
            lambda stage: Events(stage).dispute("closed", "lost"),
            _("The bank takes the money."),
            "x",
            State.PAID,
        ),
    ),
    api,
)
