"""The stage on which the sandbox gateway plays a real provider: it speaks that provider's protocol to our webhooks, over
HTTP, and keeps every call with its answer, so that a developer or a visitor can watch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise

from marketplace.core import http
from marketplace.core.money import MAX_MINOR, Currency, Minor
from marketplace.payments.models import SandboxCall, SandboxPayment

SHOWN = 4000  # characters of a request or an answer


class Stage:
    """One press of a button: who plays, for which payment, and where the shop is."""

    def __init__(self, payment: SandboxPayment, base: str) -> None:
        self.payment = payment
        self.base = (settings.SANDBOX_WEBHOOK_BASE or base).rstrip("/")

    def call(
        self,
        name: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        action: str = "",
        query: str = "",
    ) -> http.Reply:
        """Call our webhook as the provider would. No answer is an answer too: status 0."""
        route = ["payments:webhook", [self.payment.provider]]
        if action:
            route = ["payments:webhook-action", [self.payment.provider, action]]
        path = reverse(route[0], args=route[1]) + (f"?{query}" if query else "")  # type: ignore[arg-type]
        try:
            reply = http.send(method, self.base + path, body=body or None, headers=headers)
        except http.NoAnswer as error:
            reply = http.Reply(0, str(error).encode())
        SandboxCall.objects.create(
            payment=self.payment,
            name=name,
            request=_shown(f"{method} {path}\n{body.decode(errors='replace')}"),
            answer_status=reply.status or None,
            answer=_shown(reply.body.decode(errors="replace")),
        )
        return reply

    def move(self, state: str, **details: object) -> None:
        """What the provider's own books say now."""
        self.payment.state = state
        self.payment.details |= details
        self.payment.save(update_fields=["state", "details"])

    def keep(self, **details: object) -> None:
        self.payment.details |= details
        self.payment.save(update_fields=["details"])


def _shown(text: str) -> str:
    return text[:SHOWN].replace("\0", "\ufffd")


@dataclass(frozen=True, slots=True)
class Button:
    """`needs` is the state of the payment in which it can be pressed."""

    name: str
    label: str | Promise
    play: Callable[[Stage], object]
    hint: str | Promise = ""
    icon: str = "play"
    needs: str = SandboxPayment.State.CREATED


@dataclass(frozen=True, slots=True)
class Play:
    """How the gateway plays one provider.

    `read` turns the address that the provider's adapter has made (the request and what follows the page's address) into
    a payment in the gateway's books; None when nothing can be read from it. `api` answers what our adapter asks the
    provider for, by the rest of the address.
    """

    code: str
    company: str
    read: Callable[[HttpRequest, str], SandboxPayment | None]
    buttons: tuple[Button, ...]
    api: Callable[[HttpRequest, str], HttpResponse] | None = None
    words: Mapping[str, str | Promise] = field(default_factory=dict)

    def button(self, name: str) -> Button | None:
        return next((button for button in self.buttons if button.name == name), None)


def book(
    provider: str,
    *,
    order: object,
    amount: Minor | None,
    currency: str,
    return_url: str = "",
    merchant: str = "WibeStore",
    **details: object,
) -> SandboxPayment | None:
    """The payment in the gateway's books, entered when it is new. None for what no provider would take."""
    try:
        number = order if isinstance(order, UUID) else UUID(str(order))
    except ValueError:
        return None
    if amount is None or not 0 < amount <= MAX_MINOR or currency not in Currency.values:
        return None
    payment, made = SandboxPayment.objects.get_or_create(
        order=number,
        defaults={
            "provider": provider,
            "merchant": merchant[:60],
            "amount": amount,
            "currency": currency,
            "return_url": return_url[:500],
            "details": details,
        },
    )
    if payment.provider != provider:
        return None
    if not made and details and not payment.details:
        payment.details = details
        payment.save(update_fields=["details"])
    return payment
