"""The gateway as Kaspi: the page where a payer confirms, and the biller that asks the merchant by GET."""

import secrets
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.core.money import to_decimal
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers import wire
from marketplace.payments.providers.kaspi import CURRENCY, ZONE

CODE = "kaspi"
State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    """The link: the account that the payer would type, and the sum in tenge."""
    return book(
        CODE,
        order=request.GET.get("account", ""),
        amount=wire.from_major(request.GET.get("amount")),
        currency=CURRENCY,
        return_url=request.GET.get("back", ""),
    )


class Biller:
    """Kaspi's side of one payment."""

    def __init__(self, stage: Stage, *, token: str = "") -> None:
        self.stage = stage
        self.token = token or settings.PAYMENT_CONFIG[CODE]["token"]
        self.number = stage.payment.details.get("txn_id") or str(secrets.randbelow(10**15) + 10**15)
        self.at: datetime = timezone.now()

    def check(self) -> http.Reply:
        return self._ask("check")

    def pay(self) -> http.Reply:
        self.stage.keep(txn_id=self.number)
        reply = self._ask("pay", txn_date=f"{self.at.astimezone(ZONE):%Y%m%d%H%M%S}")
        if b'"result": 0' in reply.body:
            self.stage.move(State.PAID)
        return reply

    def _ask(self, command: str, **more: str) -> http.Reply:
        fields = {
            "command": command,
            "txn_id": self.number,
            **more,
            "account": str(self.stage.payment.order),
            "sum": f"{to_decimal(self.stage.payment.amount):f}",
        }
        return self.stage.call(command, method="GET", action=self.token, query=urlencode(fields))


def pay(stage: Stage) -> None:
    biller = Biller(stage)
    biller.check()
    biller.pay()


def decline(stage: Stage) -> None:
    """The payer looks and leaves: the protocol has no call for that."""
    Biller(stage).check()


def twice(stage: Stage) -> None:
    biller = Biller(stage)
    for step in (biller.check, biller.pay):
        step()
        step()


def out_of_order(stage: Stage) -> None:
    biller = Biller(stage)
    biller.pay()
    biller.check()


def forged(stage: Stage) -> None:
    biller = Biller(stage, token=secrets.token_hex(8))
    biller.check()
    biller.pay()


PLAY = Play(
    CODE,
    "Kaspi.kz",
    read,
    (
        Button("pay", _("Pay"), pay, icon="check"),
        Button("decline", _("Decline"), decline, icon="x"),
        Button(
            "twice", _("Deliver twice"), twice, _("Each call comes two times; the money counts once."), "copy"
        ),
        Button("disorder", _("Out of order"), out_of_order, _("The last call comes first."), "arrow-down-up"),
        Button("forged", _("Wrong signature"), forged, _("The shop must not believe it."), "shield-alert"),
    ),
)
