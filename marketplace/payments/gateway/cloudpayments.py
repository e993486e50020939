"""The gateway as TipTop Pay (CloudPayments): invoices, questions and refunds by its API, and signed notifications."""

import base64
import hmac
import secrets
from typing import Any
from urllib.parse import unquote, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.core.money import to_decimal
from marketplace.payments.errors import BadPayload
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers import cloudpayments, wire

CODE = "cloudpayments"
State = SandboxPayment.State


def read(request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG001
    return _known(details__transaction=wire.provider_id(request.GET.get("invoice")))


def _known(**number: object) -> SandboxPayment | None:
    return None if None in number.values() else SandboxPayment.objects.filter(provider=CODE, **number).first()


# --- The API ------------------------------------------------------------------------------------------


def api(request: HttpRequest, rest: str) -> HttpResponse:
    config = settings.PAYMENT_CONFIG[CODE]
    pair = base64.b64encode(f"{config['public_id']}:{config['secret']}".encode()).decode()
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Basic {pair}".encode()):
        return JsonResponse({"Success": False, "Message": "Unauthorized"}, status=401)
    try:
        fields = wire.read_form(request.body)
    except BadPayload:
        fields = {}
    steps = {"orders/create": _order, "v2/payments/find": _find, "payments/refund": _refund}
    step = steps.get(rest.strip("/"))
    return step(request, fields) if step else _said(None, "Not found")


def _said(model: dict[str, Any] | None, message: str | None = None, *, ok: bool = False) -> HttpResponse:
    return JsonResponse({"Success": ok, "Message": message, "Model": model})


def _order(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    payment = book(
        CODE,
        order=fields.get("InvoiceId", ""),
        amount=wire.from_major(fields.get("Amount")),
        currency=fields.get("Currency", ""),
        return_url=fields.get("SuccessRedirectUrl", ""),
        transaction=str(10**8 + secrets.randbelow(9 * 10**8)),
        account=fields.get("AccountId", ""),
    )
    if payment is None:
        return _said(None, "Wrong fields")
    number = payment.details["transaction"]
    page = request.build_absolute_uri(reverse("payments:gateway", args=[CODE]))
    return _said({"Id": f"o{number}", "Url": f"{page}?invoice={number}"}, ok=True)


def _find(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:  # noqa: ARG001
    payment = _known(order=wire.reference(fields.get("InvoiceId")))
    if payment is None or payment.state == State.CREATED:
        return _said(None, "Not found")
    model = {
        "TransactionId": int(payment.details["transaction"]),
        "Amount": float(to_decimal(payment.amount)),
        "Currency": payment.currency,
        "InvoiceId": str(payment.order),
        "Status": "Declined" if payment.state == State.DECLINED else "Completed",
    }
    return _said(model, ok=payment.state != State.DECLINED)


def _refund(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    payment = _known(details__transaction=wire.provider_id(fields.get("TransactionId")))
    amount, key = wire.from_major(fields.get("Amount")), request.headers.get("X-Request-ID", "")
    if payment is None or payment.state == State.CREATED or amount is None:
        return _said(None, "Not found")
    if key and (known := payment.details.get("keys", {}).get(key)):
        return _said({"TransactionId": known}, ok=True)
    number = _give_back(payment, amount, key)
    if number is None:
        return _said(None, "The amount is larger than the payment")
    Notices(Stage(payment, f"{request.scheme}://{request.get_host()}")).refund(number, amount)
    return _said({"TransactionId": number}, ok=True)


def _give_back(payment: SandboxPayment, amount: int, key: str = "") -> int | None:
    total = payment.details.get("refunded", 0) + amount
    if total > payment.amount:
        return None
    number = int(payment.details["transaction"]) + 1 + len(payment.details.get("keys", {}))
    keys = {**payment.details.get("keys", {}), key or f"desk:{number}": number}
    payment.details |= {"refunded": total, "keys": keys}
    payment.state = State.REFUNDED if total == payment.amount else payment.state
    payment.save(update_fields=["details", "state"])
    return number


# --- Notifications ------------------------------------------------------------------------------------


class Notices:
    """What the merchant is told, one address for each kind."""

    def __init__(self, stage: Stage, *, secret: str | None = None) -> None:
        self.stage = stage
        self.secret = settings.PAYMENT_CONFIG[CODE]["secret"] if secret is None else secret

    def tell(self, kind: str, **fields: object) -> http.Reply:
        payment = self.stage.payment
        sent = {
            "TransactionId": payment.details["transaction"],
            "Amount": str(to_decimal(payment.amount)),
            "Currency": payment.currency,
            "DateTime": timezone.now().strftime("%Y-%m-%d %H:%M:%S"),
            "CardFirstSix": "411111",
            "CardLastFour": "1111",
            "TestMode": "1",
            "OperationType": "Payment",
            "InvoiceId": str(payment.order),
            "AccountId": payment.details.get("account", ""),
            **fields,
        }
        body = urlencode(sent).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            cloudpayments.RAW: cloudpayments.signature(body, self.secret),
            cloudpayments.DECODED: cloudpayments.signature(unquote(body.decode()).encode(), self.secret),
        }
        return self.stage.call(kind, body=body, headers=headers, action=kind)

    def check(self) -> bool:
        return b'"code": 0' in self.tell("check", Status="Completed").body

    def pay(self, status: str = "Completed") -> http.Reply:
        return self.tell("pay", Status=status, GatewayName="Test", TotalFee="0")

    def fail(self) -> http.Reply:
        return self.tell("fail", Status="Declined", Reason="InsufficientFunds", ReasonCode="5051")

    def refund(self, number: int, amount: int) -> http.Reply:
        return self.tell(
            "refund",
            TransactionId=number,
            PaymentTransactionId=self.stage.payment.details["transaction"],
            Amount=str(to_decimal(amount)),
            OperationType="Refund",
        )


def pay(stage: Stage) -> None:
    notices = Notices(stage)
    if notices.check():
        stage.move(State.PAID)
        notices.pay()


def decline(stage: Stage) -> None:
    """One card is declined; the invoice stays open for another."""
    notices = Notices(stage)
    notices.check()
    notices.fail()


def twice(stage: Stage) -> None:
    notices = Notices(stage)
    notices.check()
    notices.check()
    stage.move(State.PAID)
    notices.pay()
    notices.pay()


def out_of_order(stage: Stage) -> None:
    notices = Notices(stage)
    stage.move(State.PAID)
    notices.pay()
    notices.check()
    notices.fail()


def two_stages(stage: Stage) -> None:
    notices = Notices(stage)
    notices.pay("Authorized")
    stage.move(State.PAID)
    notices.tell("confirm", Status="Completed")


def void(stage: Stage) -> None:
    notices = Notices(stage)
    notices.pay("Authorized")
    stage.move(State.DECLINED)
    notices.tell("cancel")


def forged(stage: Stage) -> None:
    Notices(stage, secret="guess").pay()  # noqa: S106  # nosec B106 (a wrong one, on purpose)


def refund(stage: Stage) -> None:
    amount = stage.payment.amount - stage.payment.details.get("refunded", 0)
    number = _give_back(stage.payment, amount)
    if number is not None:
        Notices(stage).refund(number, amount)


PLAY = Play(
    CODE,
    "TipTop Pay",
    read,
    (
        Button("pay", _("Pay"), pay, icon="check"),
        Button("decline", _("Decline"), decline, icon="x"),
        Button(
            "twice", _("Deliver twice"), twice, _("Each call comes two times; the money counts once."), "copy"
        ),
        Button("disorder", _("Out of order"), out_of_order, _("The last call comes first."), "arrow-down-up"),
        Button("stages", _("Hold, then take"), two_stages, _("The money is held first."), "hourglass"),
        Button("void", _("Hold, then let go"), void, _("The money is held first."), "undo-2"),
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
    api,
)
