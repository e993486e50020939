"""The mock: a provider for developers and clients' tests, never in production. A payment is charged when somebody says so.

Its own API charges for the signed-in payer (`payments.mock_api`); the sandbox gateway's page tells us by a webhook, signed
like the sandbox's: {"transaction_id": "<our deposit's id>", "status": "paid" | "failed"}.
"""

from urllib.parse import urlencode, urljoin
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from marketplace.payments import sandbox
from marketplace.payments.errors import BadPayload, BadSignature
from marketplace.payments.models import Refund, Transaction
from marketplace.payments.providers import wire
from marketplace.payments.providers.base import Cancel, Delivery, PaymentProvider, Redirect, Settle, Webhook

CODE = "mock"
PAID = "paid"
FAILED = "failed"


def is_served() -> bool:
    return settings.DEVELOPER_PAGES and CODE in settings.PAYMENT_PROVIDERS


def command(reference: UUID, status: str) -> Settle | Cancel:
    """What a charge with this outcome means to us."""
    number = f"mock_{reference.hex}"
    return Settle(reference, number) if status == PAID else Cancel(reference, number, reason="declined")


class MockProvider(PaymentProvider):
    code = CODE
    kept_headers = (sandbox.TIMESTAMP_HEADER, sandbox.SIGNATURE_HEADER)
    can_refund = True
    can_refund_part = True

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        page = urljoin(return_url, reverse("payments:gateway", args=[CODE]))
        fields = {
            "order": str(transaction.pk),
            "amount": str(transaction.amount),
            "currency": transaction.currency,
            "back": return_url,
        }
        return Redirect(url=f"{page}?{urlencode(fields)}")

    def process_webhook(self, delivery: Delivery) -> Webhook:
        if not sandbox.is_signed(delivery.headers, delivery.body, at=delivery.at):
            raise BadSignature(CODE)
        event = wire.read_object(delivery.body)
        reference, status = wire.reference(event.get("transaction_id")), event.get("status")
        if reference is None or status not in {PAID, FAILED}:
            raise BadPayload(f"{event.get('transaction_id')!r} is {status!r}"[:200])
        return Webhook(commands=(command(reference, str(status)),))

    def refund(self, refund: Refund) -> str:
        """It gives everything back at once."""
        return f"mock_{refund.pk.hex}"
