"""The gateway as the mock provider: a page on which the payer says how the payment ends."""

import json

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.payments import sandbox
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers.mock import CODE, FAILED, PAID

State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    amount = request.GET.get("amount", "")
    return book(
        CODE,
        order=request.GET.get("order", ""),
        amount=int(amount[:20]) if amount.isascii() and amount.isdecimal() else None,
        currency=request.GET.get("currency", ""),
        return_url=request.GET.get("back", ""),
    )


def deliver(stage: Stage, status: str, *, is_signed: bool = True) -> http.Reply:
    body = json.dumps({"transaction_id": str(stage.payment.order), "status": status}).encode()
    headers = {"Content-Type": "application/json", **sandbox.signed_headers(body, at=timezone.now())}
    if not is_signed:
        headers[sandbox.SIGNATURE_HEADER] = "0" * 64
    return stage.call(status, body=body, headers=headers)


def pay(stage: Stage) -> None:
    deliver(stage, PAID)
    stage.move(State.PAID)


def decline(stage: Stage) -> None:
    deliver(stage, FAILED)
    stage.move(State.DECLINED)


def twice(stage: Stage) -> None:
    deliver(stage, PAID)
    pay(stage)


def forged(stage: Stage) -> None:
    deliver(stage, PAID, is_signed=False)


PLAY = Play(
    CODE,
    "Mock",
    read,
    (
        Button("pay", _("Pay"), pay, icon="check"),
        Button("decline", _("Decline"), decline, icon="x"),
        Button(
            "twice", _("Deliver twice"), twice, _("Each call comes two times; the money counts once."), "copy"
        ),
        Button("forged", _("Wrong signature"), forged, _("The shop must not believe it."), "shield-alert"),
    ),
)
