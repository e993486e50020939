"""Reads of payments."""

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from marketplace.payments.models import PaymentMethod, Transaction


def active_methods(currency: str = "UZS") -> QuerySet[PaymentMethod]:
    """The ways to pay that can be offered: switched on, and their provider is there."""
    return PaymentMethod.objects.filter(
        is_active=True, currency=currency, code__in=settings.PAYMENT_PROVIDERS
    )


def transactions_of(user: Any) -> QuerySet[Transaction]:
    """A person's own money history, newest first."""
    return (
        Transaction.objects.filter(user=user).select_related("payment_method", "destination").order_by("-pk")
    )


def return_url(payment: Transaction) -> str:
    """The absolute address where a provider sends the payer back to."""
    return urljoin(settings.SITE_URL + "/", reverse("payments:return", args=[payment.pk]))
