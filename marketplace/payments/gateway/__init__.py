"""The sandbox gateway: a payment company of our own for laptops and tests, never served in production.

It keeps its own books (SandboxPayment), shows its own page, and tells us over real HTTP, by a durable job, as a
provider would: again and again until it is answered. It can be told to fail, to be slow, to repeat itself and to be
forged.
"""

import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from marketplace.core import http, jobs
from marketplace.core.money import MAX_MINOR, Currency
from marketplace.payments import sandbox
from marketplace.payments.models import SandboxPayment

logger = logging.getLogger("marketplace.payments")

SLOW = timedelta(seconds=6)
State = SandboxPayment.State
ACTIONS = ("pay", "decline", "slow", "twice", "forged")


def is_served() -> bool:
    """Whether this installation plays the gateway at all."""
    return settings.DEVELOPER_PAGES and sandbox.CODE in settings.PAYMENT_PROVIDERS


def opened(query: str) -> SandboxPayment | None:
    """The payment that a page's address speaks of; None when the address was tampered with."""
    fields = sandbox.read_query(query)
    if fields is None:
        return None
    try:
        order, amount = UUID(fields["order"]), int(fields["amount"])
    except (KeyError, ValueError):
        return None
    if not 0 < amount <= MAX_MINOR or fields.get("currency") not in Currency.values:
        return None
    payment, _made = SandboxPayment.objects.get_or_create(
        order=order,
        defaults={
            "merchant": fields.get("merchant", "")[:60],
            "amount": amount,
            "currency": fields["currency"],
            "return_url": fields.get("return_url", "")[:500],
        },
    )
    return payment


@transaction.atomic
def act(*, payment_id: UUID, action: str, base: str) -> SandboxPayment:
    """Press one of the page's buttons. `base` is the shop's address, where webhooks go.

    A payment is finished once; a second press changes nothing. "forged" sends a webhook with a wrong signature and
    leaves the payment as it was.
    """
    payment = SandboxPayment.objects.select_for_update().get(pk=payment_id)
    if payment.state != State.CREATED:
        return payment
    told = State.DECLINED if action == "decline" else State.PAID
    if action != "forged":
        payment.state = told
        payment.save(update_fields=["state"])
    jobs.enqueue(
        "tasks.payments.deliver_sandbox",
        delay=SLOW if action == "slow" else None,
        payment_id=str(payment.pk),
        event_id=f"evt_{uuid4().hex}",
        state=str(told),
        base=settings.SANDBOX_WEBHOOK_BASE or base,
        times=2 if action == "twice" else 1,
        forged=action == "forged",
    )
    return payment


def deliver(
    *, payment_id: UUID, event_id: str, state: str, base: str, times: int = 1, forged: bool = False
) -> list[int]:
    """Send the webhook; returns the statuses that came back. No answer or a 5xx raises, and the job tries again."""
    payment = SandboxPayment.objects.get(pk=payment_id)
    body = json.dumps({"id": event_id, "payment": {**described(payment), "state": state}}).encode()
    url = base.rstrip("/") + reverse("payments:webhook", args=[sandbox.CODE])
    statuses = []
    for _time in range(times):
        headers = {"Content-Type": "application/json", **sandbox.signed_headers(body, at=timezone.now())}
        if forged:
            headers[sandbox.SIGNATURE_HEADER] = "0" * 64
        reply = http.send("POST", url, body=body, headers=headers)
        logger.info("sandbox told %s of %s: %s", url, event_id, reply.status)
        if reply.status >= 500:
            raise http.NoAnswer(f"the shop answers {reply.status}")
        statuses.append(reply.status)
    return statuses


def described(payment: SandboxPayment) -> dict[str, Any]:
    return {
        "id": f"sb_{payment.pk.hex}",
        "order": str(payment.order),
        "amount": payment.amount,
        "currency": payment.currency,
        "state": payment.state,
    }
