"""Reads of payments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, Posting
from marketplace.ledger.selectors import Balances, balances
from marketplace.payments.models import PaymentMethod, ProviderCredential, Transaction

Type = Transaction.Type


def active_methods(currency: str = "UZS") -> QuerySet[PaymentMethod]:
    """The ways to pay that can be offered: switched on, and their provider is there."""
    return PaymentMethod.objects.filter(
        is_active=True, currency=currency, code__in=list(settings.PAYMENT_PROVIDERS)
    )


def secret_of(provider: str, *, default: str) -> str:
    """The secret that a provider's calls carry: what it has changed itself, or else the environment's."""
    changed = ProviderCredential.objects.filter(provider=provider).first()
    return changed.secret if changed else default


def transactions_of(user: Any) -> QuerySet[Transaction]:
    """A person's own money history, newest first, with all that a line shows."""
    rows = (
        Transaction.objects.filter(user=user).select_related("payment_method", "destination").order_by("-pk")
    )
    return rows.defer("destination__card_number")


def found(
    user: Any, *, types: Iterable[str] = (), status: str = "", since: datetime | None = None
) -> QuerySet[Transaction]:
    """The person's history of these types, in this status, made since then; empty means any."""
    rows = transactions_of(user)
    if types:
        rows = rows.filter(type__in=list(types))
    if status:
        rows = rows.filter(status=status)
    if since:
        rows = rows.filter(created_at__gte=since)
    return rows


def money_of(user: Any) -> Balances:
    """The person's soʻm, read once per request: the page and its header show the same. Not for decisions."""
    known: Balances | None = getattr(user, "_money_shown", None)
    if known is None:
        known = user._money_shown = balances(user)  # noqa: SLF001 (request.user lives as long as its request)
    return known


def on_the_way(user: Any, currency: str = "UZS") -> Minor:
    """What has left the wallet for a card and has not arrived yet, in minor units."""
    waiting = Transaction.objects.filter(
        user=user, type=Type.WITHDRAWAL, status__in=Transaction.OPEN, currency=currency
    )
    return waiting.aggregate(total=Sum("amount"))["total"] or 0


@dataclass(frozen=True, slots=True)
class BalancePoint:
    day: date
    balance: Minor


def balance_by_day(
    user: Any, *, available: Minor, today: date, days: int, currency: str = "UZS"
) -> list[BalancePoint]:
    """What the person could spend at the end of each of the last days (UTC), oldest first, from the ledger's postings.

    `available` is the balance now; the past is counted back from it. One query.
    """
    start = today - timedelta(days=days)
    moved = dict(
        Posting.objects.filter(
            account__owner_id=user.pk,
            account__kind=Account.Kind.AVAILABLE,
            account__currency=currency,
            entry__created_at__date__gt=start,
        )
        .annotate(day=TruncDate("entry__created_at"))
        .values_list("day")
        .annotate(total=Sum("amount"))
    )
    points, balance = [], available
    for back in range(days + 1):
        day = today - timedelta(days=back)
        points.append(BalancePoint(day, balance))
        balance -= moved.get(day, 0)
    return points[::-1]
