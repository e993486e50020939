"""The gateway as FreedomPay: payments, their state and refunds by its API, a payment page, and signed calls to the merchant."""

import secrets
from decimal import Decimal
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.core.money import to_decimal
from marketplace.payments.errors import BadPayload
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers import freedompay, wire

CODE = "freedompay"
State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    return _known(details__payment=wire.provider_id(request.GET.get("payment")))


def _known(**number: object) -> SandboxPayment | None:
    return None if None in number.values() else SandboxPayment.objects.filter(provider=CODE, **number).first()


# --- The API ------------------------------------------------------------------------------------------


def api(request: HttpRequest, rest: str) -> HttpResponse:
    script = rest.rstrip("/").rpartition("/")[2]
    config = settings.PAYMENT_CONFIG[CODE]
    try:
        fields = wire.read_form(request.body)
    except BadPayload:
        fields = {}
    if fields.get("pg_merchant_id") != config["merchant_id"] or not freedompay.is_signed(
        script, fields, config["secret_key"]
    ):
        return _said(
            script, pg_status="error", pg_error_code="9998", pg_error_description="Incorrect signature"
        )
    answer = {"init_payment.php": _open, "get_status3.php": _state, "revoke.php": _revoke}.get(script)
    return answer(request, script, fields) if answer else _refused(script)


def _said(script: str, **fields: str) -> HttpResponse:
    told = {**fields, "pg_salt": secrets.token_hex(8)}
    if fields.get("pg_error_code") != "9998":
        told = freedompay.signed(script, told, settings.PAYMENT_CONFIG[CODE]["secret_key"])
    return HttpResponse(freedompay.write_xml(told), content_type="application/xml; charset=utf-8")


def _refused(script: str) -> HttpResponse:
    return _said(script, pg_status="error", pg_error_code="9403", pg_error_description="Validation failed")


def _open(request: HttpRequest, script: str, fields: dict[str, str]) -> HttpResponse:
    payment = book(
        CODE,
        order=fields.get("pg_order_id", ""),
        amount=wire.from_major(fields.get("pg_amount")),
        currency=fields.get("pg_currency", ""),
        return_url=fields.get("pg_success_url", ""),
        payment=str(10**8 + secrets.randbelow(9 * 10**8)),
    )
    if payment is None:
        return _refused(script)
    number = payment.details["payment"]
    page = request.build_absolute_uri(reverse("payments:gateway", args=[CODE]))
    return _said(
        script,
        pg_status="ok",
        pg_payment_id=number,
        pg_redirect_url=f"{page}?payment={number}",
        pg_redirect_url_type="need data",
    )


def _state(request: HttpRequest, script: str, fields: dict[str, str]) -> HttpResponse:  # noqa: ARG001
    payment = _known(order=wire.reference(fields.get("pg_order_id")))
    if payment is None:
        return _refused(script)
    states = {State.PAID: "success", State.DECLINED: "failed", State.REFUNDED: "revoked"}
    return _said(
        script,
        pg_status="ok",
        pg_payment_id=payment.details["payment"],
        pg_payment_status=states.get(State(payment.state), "new"),
        pg_captured="1" if payment.state == State.PAID else "0",
        pg_amount=str(to_decimal(payment.amount)),
        pg_currency=payment.currency,
    )


def _revoke(request: HttpRequest, script: str, fields: dict[str, str]) -> HttpResponse:  # noqa: ARG001
    payment = _known(details__payment=wire.provider_id(fields.get("pg_payment_id")))
    amount = wire.from_major(fields.get("pg_refund_amount"))
    if payment is None or payment.state != State.PAID or amount is None:
        return _refused(script)
    total = payment.details.get("refunded", 0) + amount
    if total > payment.amount:
        return _refused(script)
    payment.details |= {"refunded": total}
    payment.state = State.REFUNDED if total == payment.amount else payment.state
    payment.save(update_fields=["details", "state"])
    return _said(script, pg_status="ok")


# --- Calls --------------------------------------------------------------------------------------------


class Merchant:
    """The merchant's addresses, called as FreedomPay calls them."""

    def __init__(self, stage: Stage, *, secret: str | None = None) -> None:
        self.stage = stage
        self.secret = settings.PAYMENT_CONFIG[CODE]["secret_key"] if secret is None else secret

    def check(self) -> http.Reply:
        return self._call("check", {})

    def result(self, *, paid: bool = True, can_reject: bool = True) -> http.Reply:
        told = {
            "pg_result": str(int(paid)),
            "pg_can_reject": str(int(can_reject)),
            "pg_payment_date": timezone.now().strftime("%Y-%m-%d %H:%M:%S"),
            "pg_captured": str(int(paid)),
            "pg_testing_mode": "1",
            "pg_card_pan": "4405-64XX-XXXX-0149",
        }
        if not paid:
            told |= {"pg_failure_code": "300", "pg_failure_description": "The bank has declined the card"}
        reply = self._call("result", told)
        if paid and b"<pg_status>ok<" in reply.body:
            self.stage.move(State.PAID)
        return reply

    def _call(self, action: str, fields: dict[str, str]) -> http.Reply:
        payment = self.stage.payment
        sent = {
            "pg_order_id": str(payment.order),
            "pg_payment_id": payment.details["payment"],
            "pg_amount": f"{Decimal(to_decimal(payment.amount)):f}",
            "pg_currency": payment.currency,
            "pg_salt": secrets.token_hex(8),
            **fields,
        }
        # What follows the last slash of the address: nothing.
        body = urlencode(freedompay.signed("", sent, self.secret)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.stage.call(f"{action}_url", body=body, headers=headers, action=action)


def pay(stage: Stage) -> None:
    merchant = Merchant(stage)
    if b"<pg_status>ok<" in merchant.check().body:
        merchant.result()


def decline(stage: Stage) -> None:
    merchant = Merchant(stage)
    merchant.check()
    merchant.result(paid=False)
    stage.move(State.DECLINED)


def twice(stage: Stage) -> None:
    merchant = Merchant(stage)
    for call in (merchant.check, merchant.result):
        call()
        call()


def out_of_order(stage: Stage) -> None:
    merchant = Merchant(stage)
    merchant.result()
    merchant.check()
    merchant.result(paid=False)


def late(stage: Stage) -> None:
    """The second delivery, half an hour later: it can no longer be rejected."""
    Merchant(stage).result(can_reject=False)


def forged(stage: Stage) -> None:
    Merchant(stage, secret="guess").result()  # noqa: S106  # nosec B106 (a wrong one, on purpose)


PLAY = Play(
    CODE,
    "FreedomPay",
    read,
    (
        Button("pay", _("Pay"), pay, icon="check"),
        Button("decline", _("Decline"), decline, icon="x"),
        Button(
            "twice", _("Deliver twice"), twice, _("Each call comes two times; the money counts once."), "copy"
        ),
        Button("disorder", _("Out of order"), out_of_order, _("The last call comes first."), "arrow-down-up"),
        Button("late", _("Deliver late"), late, _("The payment can no longer be rejected."), "hourglass"),
        Button("forged", _("Wrong signature"), forged, _("The shop must not believe it."), "shield-alert"),
    ),
    api,
)
