"""The gateway as ATMOS, for Uzcard and Humo: it takes a card and a code by its API, and asks the merchant before it debits."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core import http
from marketplace.payments.errors import BadPayload
from marketplace.payments.gateway.stage import Button, Play, Stage, book
from marketplace.payments.models import SandboxPayment
from marketplace.payments.providers import atmos, wire

State = SandboxPayment.State

CODE = "111111"
# Cards that are refused, by their digits five to eight; any other is good.
REFUSED = {"0067": atmos.BAD_CARD, "0112": atmos.NO_MONEY, "0001": atmos.INTERNAL}
_WORDS = {
    atmos.INTERNAL: "Internal error",
    atmos.BAD_PARAMS: "Wrong parameters",
    atmos.BAD_CARD: "Wrong card data",
    atmos.CLOSED: "The transaction is closed",
    atmos.NO_MONEY: "Insufficient funds",
}


class Atmos:
    """ATMOS's side of one of the two stores."""

    def __init__(self, code: str) -> None:
        self.code = code

    @property
    def config(self) -> dict[str, str]:
        return settings.PAYMENT_CONFIG[self.code]

    def read(self, request: HttpRequest, rest: str) -> SandboxPayment | None:  # noqa: ARG002
        """The company's own desk: the transaction by its number. Payers see a page of ours instead."""
        return self._known(request.GET.get("transaction"))

    def _known(self, number: object) -> SandboxPayment | None:
        text = wire.provider_id(number)
        if text is None or not text.isdecimal():
            return None
        return SandboxPayment.objects.filter(provider=self.code, details__transaction=text).first()

    # --- The API -----------------------------------------------------------------------------------------

    def api(self, request: HttpRequest, rest: str) -> HttpResponse:
        path = rest.strip("/")
        if path == "token":
            return self._token(request)
        if request.headers.get("Authorization") != f"Bearer {self._access}":
            return JsonResponse({"fault": {"code": 900901, "message": "Invalid Credentials"}}, status=401)
        step = self._steps.get(path)
        try:
            fields = wire.read_object(request.body)
        except BadPayload:
            fields = {}
        if step is None or request.method != "POST" or fields.get("store_id") != self.config["store_id"]:
            return _said(atmos.BAD_PARAMS)
        return step(request, fields)

    @property
    def _access(self) -> str:
        return f"played-{self.config['store_id']}"

    @property
    def _steps(self) -> dict[str, Callable[[HttpRequest, dict[str, Any]], HttpResponse]]:
        return {
            "merchant/pay/create": self._create,
            "merchant/pay/pre-apply": self._pre_apply,
            "merchant/pay/apply": self._apply,
            "merchant/pay/get": self._get,
            "merchant/pay/reverse": self._reverse,
        }

    def _token(self, request: HttpRequest) -> HttpResponse:
        right = atmos.credentials(self.config["consumer_key"], self.config["consumer_secret"])
        if request.headers.get("Authorization") != right or request.body != b"grant_type=client_credentials":
            return JsonResponse({"error": "invalid_client"}, status=401)
        return JsonResponse({"access_token": self._access, "token_type": "Bearer", "expires_in": 3600})  # nosec B105

    def _create(self, request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
        amount = wire.minor(fields.get("amount"))
        order = wire.reference(fields.get("account"))
        payment = order and book(
            self.code,
            order=order,
            amount=amount,
            currency="UZS",
            return_url=request.build_absolute_uri(reverse("payments:return", args=[order])),
            transaction=str(10**8 + secrets.randbelow(9 * 10**8)),
        )
        if not payment:
            return _said(atmos.BAD_PARAMS)
        number = int(payment.details["transaction"])
        return _said(transaction_id=number, store_transaction=self._told(payment))

    def _pre_apply(self, request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        payment, card = self._known(fields.get("transaction_id")), fields.get("card_number")
        if payment is None or not isinstance(card, str) or not isinstance(fields.get("expiry"), str):
            return _said(atmos.BAD_PARAMS)
        if payment.state != State.CREATED:
            return _said(atmos.CLOSED)
        if card[4:8] in REFUSED:
            return _said(REFUSED[card[4:8]])
        payment.details |= {"card": f"•• {card[-4:]}"}
        payment.save(update_fields=["details"])
        return _said(transaction_id=int(payment.details["transaction"]))

    def _apply(self, request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
        payment = self._known(fields.get("transaction_id"))
        if payment is None or "card" not in payment.details:
            return _said(atmos.BAD_PARAMS)
        if payment.state != State.CREATED:
            return _said(atmos.CLOSED)
        if fields.get("otp") != CODE:
            return _said(atmos.BAD_PARAMS)
        # The merchant is asked first, and may refuse.
        reply = self.callback(Stage(payment, f"{request.scheme}://{request.get_host()}"))
        if b'"status": 1' not in reply.body:
            return _said(atmos.INTERNAL)
        payment.state = State.PAID
        payment.save(update_fields=["state"])
        return _said(store_transaction=self._told(payment))

    def _get(self, request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        payment = self._known(fields.get("transaction_id"))
        return _said(store_transaction=self._told(payment)) if payment else _said(atmos.BAD_PARAMS)

    def _reverse(self, request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        payment = self._known(fields.get("transaction_id"))
        if payment is None or payment.state != State.PAID:
            return _said(atmos.CLOSED)
        payment.state = State.REFUNDED
        payment.save(update_fields=["state"])
        return _said(transaction_id=int(payment.details["transaction"]))

    def _told(self, payment: SandboxPayment) -> dict[str, Any]:
        is_paid = payment.state == State.PAID
        return {
            "trans_id": int(payment.details["transaction"]),
            "success_trans_id": int(payment.details["transaction"]) + 1 if is_paid else None,
            "account": str(payment.order),
            "amount": payment.amount,
            "confirmed": is_paid,
            "status_code": "0" if is_paid else None,
        }

    # --- Callbacks ---------------------------------------------------------------------------------------

    def callback(self, stage: Stage, *, key: str | None = None, amount: int | None = None) -> http.Reply:
        payment = stage.payment
        sent = payment.amount if amount is None else amount
        texts = [self.config["store_id"], payment.details["transaction"], str(payment.order), str(sent)]
        body = {
            "store_id": texts[0],
            "transaction_id": int(texts[1]),
            "transaction_time": timezone.now().strftime("%Y-%m-%d %H:%M:%S"),
            "amount": sent,
            "invoice": texts[2],
            "sign": atmos.sign(texts, key or self.config["api_key"], self.config["sign_hash"]),
        }
        headers = {"Content-Type": "application/json"}
        return stage.call("callback", body=json.dumps(body).encode(), headers=headers)

    def pay(self, stage: Stage) -> None:
        """The payer has confirmed and closed the page before our answer came."""
        if b'"status": 1' in self.callback(stage).body:
            stage.move(State.PAID)

    def decline(self, stage: Stage) -> None:
        stage.move(State.DECLINED)

    def twice(self, stage: Stage) -> None:
        self.pay(stage)
        self.callback(stage)

    def out_of_order(self, stage: Stage) -> None:
        """The money first, the question after it."""
        stage.move(State.PAID)
        self.callback(stage)

    def forged(self, stage: Stage) -> None:
        self.callback(stage, key="guess")

    def other_amount(self, stage: Stage) -> None:
        self.callback(stage, amount=stage.payment.amount + 1)

    def play(self, company: str) -> Play:
        return Play(
            self.code,
            company,
            self.read,
            (
                Button("pay", _("Pay"), self.pay, icon="check"),
                Button("decline", _("Decline"), self.decline, icon="x"),
                Button(
                    "twice",
                    _("Deliver twice"),
                    self.twice,
                    _("Each call comes two times; the money counts once."),
                    "copy",
                ),
                Button(
                    "disorder",
                    _("Out of order"),
                    self.out_of_order,
                    _("The last call comes first."),
                    "arrow-down-up",
                ),
                Button(
                    "forged",
                    _("Wrong signature"),
                    self.forged,
                    _("The shop must not believe it."),
                    "shield-alert",
                ),
                Button(
                    "amount",
                    _("Another amount"),
                    self.other_amount,
                    _("The shop must not believe it."),
                    "shield-alert",
                ),
            ),
            self.api,
        )


def _said(code: str = atmos.OK, **more: Any) -> HttpResponse:
    words = _WORDS.get(code, "")
    return JsonResponse({"result": {"code": code, "description": words}, **more})


UZCARD = Atmos("uzcard").play("Uzcard (ATMOS)")
HUMO = Atmos("humo").play("Humo (ATMOS)")
