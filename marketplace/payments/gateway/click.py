"""The gateway as Click: a payment page, the SHOP-API calls to the merchant, and the Merchant API that a merchant asks."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.core.money import to_decimal
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers import wire
from marketplace.payments.providers.click import COMPLETE, PREPARE, ZONE, auth_header, signature

CODE = "click"
State = SandboxPayment.State
DECLINED = -5017  # the vendor's tests' example of a payment that failed


def config() -> Mapping[str, str]:
    return settings.PAYMENT_CONFIG[CODE]


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    """The page's address: service, merchant, the amount in soʻm and the order."""
    fields = request.GET
    if (fields.get("service_id"), fields.get("merchant_id")) != (
        config()["service_id"],
        config()["merchant_id"],
    ):
        return None
    return book(
        CODE,
        order=fields.get("transaction_param", ""),
        amount=wire.from_major(fields.get("amount")),
        currency="UZS",
        return_url=fields.get("return_url", ""),
    )


class Shop:
    """Click's side of one payment."""

    def __init__(self, stage: Stage, *, secret: str = "") -> None:
        self.stage = stage
        self.secret = secret or config()["secret_key"]
        self.number = stage.payment.details.get("click_trans_id") or str(secrets.randbelow(10**12) + 10**12)

    def prepare(self) -> http.Reply:
        self.stage.keep(click_trans_id=self.number, paydoc_id=self.number[-9:].lstrip("0"))
        reply = self._send("Prepare", action=PREPARE)
        if prepare_id := _field(reply, "merchant_prepare_id"):
            self.stage.keep(prepare_id=str(prepare_id))
        return reply

    def complete(self, *, error: int = 0) -> http.Reply:
        prepare_id = self.stage.payment.details.get("prepare_id", "0")
        reply = self._send("Complete", action=COMPLETE, error=error, merchant_prepare_id=prepare_id)
        if error == 0 and _field(reply, "error") == 0:
            self.stage.move(State.PAID)
        return reply

    def _send(self, name: str, *, action: str, error: int = 0, **more: str) -> http.Reply:
        fields = {
            "click_trans_id": self.number,
            "service_id": config()["service_id"],
            "click_paydoc_id": self.number[-9:].lstrip("0"),
            "merchant_trans_id": str(self.stage.payment.order),
            **more,
            "amount": f"{to_decimal(self.stage.payment.amount):f}",
            "action": action,
            "error": str(error),
            "error_note": "Success" if error == 0 else "Payment failed",
            "sign_time": timezone.now().astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S"),
        }
        fields["sign_string"] = signature(fields, secret=self.secret)
        return self.stage.call(
            name,
            body=urlencode(fields).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )


def _field(reply: http.Reply, name: str) -> object:
    try:
        return json.loads(reply.body).get(name)
    except (ValueError, AttributeError):
        return None


def pay(stage: Stage) -> None:
    shop = Shop(stage)
    shop.prepare()
    shop.complete()


def decline(stage: Stage) -> None:
    shop = Shop(stage)
    shop.prepare()
    shop.complete(error=DECLINED)
    stage.move(State.DECLINED)


def twice(stage: Stage) -> None:
    shop = Shop(stage)
    for step in (shop.prepare, shop.complete):
        step()
        step()


def out_of_order(stage: Stage) -> None:
    Shop(stage).complete()
    pay(stage)


def forged(stage: Stage) -> None:
    shop = Shop(stage, secret=secrets.token_hex(8))
    shop.prepare()
    shop.complete()


def lose(stage: Stage) -> None:
    """The payer has paid and Complete never comes: the shop finds out when it asks."""
    Shop(stage).prepare()
    stage.move(State.PAID)


def fail_late(stage: Stage) -> None:
    Shop(stage).complete(error=DECLINED)


def api(request: HttpRequest, rest: str) -> HttpResponse:
    """The Merchant API: how a payment stands, by the merchant's own id, and its reversal."""
    if not _is_merchant(request.headers.get("Auth", "")):
        return _error(-1, "Authentication failed")
    match request.method, rest.strip("/").split("/"):
        case "GET", ["payment", "status_by_mti", service, order, _day] if service == config()["service_id"]:
            return _status(order)
        case "DELETE", ["payment", "reversal", service, number] if service == config()["service_id"]:
            return _reversal(number)
    return _error(-500, "Not found")


def _is_merchant(header: str) -> bool:
    timestamp = header.rpartition(":")[2]
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) == 10):
        return False
    at = datetime.fromtimestamp(int(timestamp), tz=UTC)
    fresh = abs(timezone.now() - at) < timedelta(minutes=5)
    return fresh and header == auth_header(config()["merchant_user_id"], config()["secret_key"], at=at)


def _status(order: str) -> HttpResponse:
    number = wire.reference(order)
    payment = SandboxPayment.objects.filter(provider=CODE, order=number).first() if number else None
    if payment is None or "paydoc_id" not in payment.details:
        return _error(-16, "Payment not found")
    states = {State.CREATED: 1, State.PAID: 2}
    return JsonResponse(
        {
            "error_code": 0,
            "error_note": "",
            "payment_id": int(payment.details["paydoc_id"]),
            "payment_status": states.get(State(payment.state), -99),
            "merchant_trans_id": str(payment.order),
        }
    )


def _reversal(number: str) -> HttpResponse:
    payment = SandboxPayment.objects.filter(
        provider=CODE, details__paydoc_id=number, state=State.PAID
    ).first()
    if payment is None:
        return _error(-16, "Payment not found")
    payment.state = State.REFUNDED
    payment.save(update_fields=["state"])
    return JsonResponse({"error_code": 0, "error_note": "", "payment_id": int(number)})


def _error(code: int, note: str) -> HttpResponse:
    return JsonResponse({"error_code": code, "error_note": note})


PLAY = Play(
    CODE,
    "Click",
    read,
    (
        Button("pay", _("Pay"), pay, icon="check"),
        Button("decline", _("Decline"), decline, icon="x"),
        Button(
            "twice", _("Deliver twice"), twice, _("Each call comes two times; the money counts once."), "copy"
        ),
        Button("disorder", _("Out of order"), out_of_order, _("The last call comes first."), "arrow-down-up"),
        Button("forged", _("Wrong signature"), forged, _("The shop must not believe it."), "shield-alert"),
        Button(
            "lost",
            _("Lose the last call"),
            lose,
            _("The shop finds out when it asks the company."),
            "circle-help",
        ),
        Button(
            "late",
            _("Tell of a failure afterwards"),
            fail_late,
            _("What is paid stays paid."),
            "clock",
            State.PAID,
        ),
    ),
    api,
)
