"""Reads of payments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncDate

from marketplace.accounts.models import User
from marketplace.accounts.selectors import staff_with
from marketplace.core.money import Minor
from marketplace.ledger.models import Account, Posting
from marketplace.ledger.selectors import Balances, balances
from marketplace.payments.models import (
    Debt,
    PaymentMethod,
    PayoutCard,
    PayoutDecision,
    ProviderCredential,
    Transaction,
)

Type = Transaction.Type


def methods() -> QuerySet[PaymentMethod]:
    """The ways to pay that can be offered: switched on, and their provider is there."""
    return PaymentMethod.objects.filter(is_active=True, code__in=list(settings.PAYMENT_PROVIDERS))


def active_methods(currency: str = "UZS") -> QuerySet[PaymentMethod]:
    """Those of one currency."""
    return methods().filter(currency=currency)


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


def payout_cards_of(user: Any) -> QuerySet[PayoutCard]:
    """The cards and accounts a person may choose from, the one used last first."""
    return PayoutCard.objects.filter(user=user, removed_at__isnull=True).order_by("-usable_from", "-pk")


def open_payouts() -> QuerySet[Transaction]:
    """The payout desk's queue, the one that is promised first at the top, each with its person and destination."""
    rows = Transaction.objects.filter(type=Type.WITHDRAWAL, status__in=Transaction.OPEN)
    return (
        rows.select_related("user", "destination")
        .defer("destination__card_number")
        .annotate(approvals=Count("decisions", filter=Q(decisions__action=PayoutDecision.Action.APPROVE)))
        .order_by("destination__due_at", "pk")
    )


def payouts() -> QuerySet[Transaction]:
    """All payouts for the desk, newest first."""
    return (
        Transaction.objects.filter(type=Type.WITHDRAWAL)
        .select_related("user", "destination")
        .defer("destination__card_number")
        .order_by("-pk")
    )


def place_in_queue(payout: Transaction) -> int | None:
    """How many open payouts are promised no later than this one, itself included; None for what does not wait."""
    if payout.type != Type.WITHDRAWAL or not payout.is_open or not hasattr(payout, "destination"):
        return None
    waiting = Transaction.objects.filter(type=Type.WITHDRAWAL, status__in=Transaction.OPEN)
    due_at = payout.destination.due_at
    before = Q(destination__due_at__lt=due_at) | Q(destination__due_at=due_at, pk__lte=payout.pk)
    return waiting.filter(before).count()


def payout_staff() -> list[User]:
    """Everybody who works at the payout desk."""
    return list(staff_with("payments", "settle_withdrawal"))


def debts_of(user: Any, currency: str = "UZS") -> Minor:
    """What a person owes after money was taken back that they had spent, in minor units."""
    return _debts(user, currency).aggregate(total=Sum(F("amount") - F("repaid")))["total"] or 0


def on_the_way(user: Any, currency: str = "UZS") -> Minor:
    """What has left the wallet for a card and has not arrived yet, in minor units."""
    return _waiting(user, currency).aggregate(total=Sum("amount"))["total"] or 0


def beside_the_balance(user: Any, currency: str = "UZS") -> tuple[Minor, Minor]:
    """What is on the way to a card, and what is owed, in one query."""
    way = (
        _waiting(user, currency)
        .order_by()
        .values("currency")
        .annotate(what=Value("way"), total=Sum("amount"))
    )
    owed = _debts(user, currency).order_by().values("currency")
    debt = owed.annotate(what=Value("debt"), total=Sum(F("amount") - F("repaid")))
    found = dict(way.values_list("what", "total").union(debt.values_list("what", "total"), all=True))
    return found.get("way", 0), found.get("debt", 0)


def _debts(user: Any, currency: str) -> QuerySet[Debt]:
    return Debt.objects.filter(user=user, currency=currency, repaid_at__isnull=True)


def _waiting(user: Any, currency: str) -> QuerySet[Transaction]:
    return Transaction.objects.filter(
        user=user, type=Type.WITHDRAWAL, status__in=Transaction.OPEN, currency=currency
    )


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
