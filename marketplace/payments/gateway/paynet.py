"""The gateway as Paynet: the page behind the payer's link, and the gateway that calls the merchant by JSON-RPC."""

import base64
import json
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.payments import selectors
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers.paynet import TIME_FORMAT, ZONE

CODE = "paynet"
State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    """The link: merchant, our reference, the amount in tiyin."""
    config, tiyin = settings.PAYMENT_CONFIG[CODE], request.GET.get("a", "")
    if request.GET.get("m") != (config["merchant_id"] or config["service_id"]):
        return None
    return book(
        CODE,
        order=request.GET.get("c", ""),
        amount=int(tiyin[:20]) if tiyin.isascii() and tiyin.isdecimal() else None,
        currency="UZS",
        return_url=request.GET.get("r", ""),
    )


class Terminal:
    """Paynet's side of one payment."""

    def __init__(self, stage: Stage, *, password: str = "") -> None:
        self.stage = stage
        self.config = settings.PAYMENT_CONFIG[CODE]
        self.number = stage.payment.details.get("transaction") or secrets.randbelow(10**9) + 10**9
        password = password or selectors.secret_of(CODE, default=self.config["password"])
        pair = f"{self.config['login']}:{password}".encode()
        self.headers = {
            "Content-Type": "application/json",
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
        }
        self._call = 0

    def rpc(self, method: str, **params: Any) -> http.Reply:
        self._call += 1
        params = {"serviceId": int(self.config["service_id"]), **params}
        body = {"jsonrpc": "2.0", "id": self._call, "method": method, "params": params}
        return self.stage.call(method, body=json.dumps(body).encode(), headers=self.headers)

    @property
    def fields(self) -> dict[str, str]:
        return {"transaction_id": str(self.stage.payment.order)}

    def information(self) -> http.Reply:
        return self.rpc("GetInformation", fields=self.fields)

    def perform(self) -> http.Reply:
        self.stage.keep(transaction=self.number)
        at = timezone.now().astimezone(ZONE).strftime(TIME_FORMAT)
        reply = self.rpc(
            "PerformTransaction",
            transactionId=self.number,
            amount=self.stage.payment.amount,
            transactionTime=at,
            fields=self.fields,
        )
        if b'"result"' in reply.body:
            self.stage.move(State.PAID)
        return reply

    def check(self) -> http.Reply:
        return self.rpc("CheckTransaction", transactionId=self.number)

    def cancel(self) -> http.Reply:
        return self.rpc("CancelTransaction", transactionId=self.number)


def pay(stage: Stage) -> None:
    terminal = Terminal(stage)
    terminal.information()
    terminal.perform()
    terminal.check()


def decline(stage: Stage) -> None:
    """The payer looks and leaves: Paynet has no call for that."""
    Terminal(stage).information()


def twice(stage: Stage) -> None:
    terminal = Terminal(stage)
    for step in (terminal.information, terminal.perform, terminal.check):
        step()
        step()


def out_of_order(stage: Stage) -> None:
    terminal = Terminal(stage)
    terminal.check()
    terminal.cancel()
    pay(stage)


def forged(stage: Stage) -> None:
    terminal = Terminal(stage, password=secrets.token_hex(8))
    terminal.information()
    terminal.perform()


def refund(stage: Stage) -> None:
    terminal = Terminal(stage)
    reply = terminal.cancel()
    terminal.check()
    if b'"result"' in reply.body:
        stage.move(State.REFUNDED)


PLAY = Play(
    CODE,
    "Paynet",
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
            "refund",
            _("Give the money back"),
            refund,
            _("As the company's own support would."),
            "undo-2",
            State.PAID,
        ),
    ),
)
