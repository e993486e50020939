"""The gateway as Payme: a checkout page, and the billing that calls the merchant by JSON-RPC."""

import base64
import binascii
import json
import secrets
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment

CODE = "payme"
State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    """The checkout's address: base64 of "m=…;ac.transaction_id=…;a=…;c=…"."""
    try:
        text = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    fields = dict(part.partition("=")[::2] for part in text.split(";"))
    if fields.get("m") != settings.PAYMENT_CONFIG[CODE]["merchant_id"] or not fields.get("a", "").isdecimal():
        return None
    return book(
        CODE,
        order=fields.get("ac.transaction_id", ""),
        amount=int(fields["a"][:20]),
        currency="UZS",
        return_url=fields.get("c", ""),
    )


class Billing:
    """Payme's side of one transaction."""

    def __init__(self, stage: Stage, *, key: str | None = None) -> None:
        self.stage = stage
        self.id = stage.payment.details.get("transaction") or secrets.token_hex(12)
        config = settings.PAYMENT_CONFIG[CODE]
        pair = f"{config['login']}:{config['key'] if key is None else key}"
        self.headers = {
            "Content-Type": "text/json; charset=UTF-8",
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        }
        self._number = 0

    def rpc(self, method: str, **params: Any) -> http.Reply:
        self._number += 1
        body = json.dumps({"id": self._number, "method": method, "params": params}).encode()
        return self.stage.call(method, body=body, headers=self.headers)

    @property
    def account(self) -> dict[str, str]:
        return {"transaction_id": str(self.stage.payment.order)}

    def check_perform(self) -> http.Reply:
        return self.rpc("CheckPerformTransaction", amount=self.stage.payment.amount, account=self.account)

    def create(self) -> http.Reply:
        at = self.stage.payment.details.get("time") or int(time.time() * 1000)
        self.stage.keep(transaction=self.id, time=at)
        return self.rpc(
            "CreateTransaction", id=self.id, time=at, amount=self.stage.payment.amount, account=self.account
        )

    def perform(self) -> http.Reply:
        reply = self.rpc("PerformTransaction", id=self.id)
        if b'"result"' in reply.body:
            self.stage.move(State.PAID)
        return reply

    def cancel(self, reason: int) -> http.Reply:
        return self.rpc("CancelTransaction", id=self.id, reason=reason)

    def check(self) -> http.Reply:
        return self.rpc("CheckTransaction", id=self.id)


def pay(stage: Stage) -> None:
    billing = Billing(stage)
    billing.check_perform()
    billing.create()
    billing.perform()
    billing.check()


def decline(stage: Stage) -> None:
    billing = Billing(stage)
    billing.check_perform()
    billing.create()
    billing.cancel(2)
    billing.check()
    stage.move(State.CREATED, transaction="", time=0)


def twice(stage: Stage) -> None:
    billing = Billing(stage)
    billing.check_perform()
    for step in (billing.create, billing.perform, billing.check):
        step()
        step()


def out_of_order(stage: Stage) -> None:
    billing = Billing(stage)
    billing.perform()
    billing.check()
    pay(stage)


def forged(stage: Stage) -> None:
    billing = Billing(stage, key="guess")
    billing.check_perform()
    billing.create()
    billing.perform()


def refund(stage: Stage) -> None:
    billing = Billing(stage)
    reply = billing.cancel(5)
    billing.check()
    if b'"result"' in reply.body:
        stage.move(State.REFUNDED)


PLAY = Play(
    CODE,
    "Payme",
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
