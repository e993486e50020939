"""Reads of payments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from string import hexdigits
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, F, Q, QuerySet, SmallIntegerField, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate

from marketplace.accounts.models import User
from marketplace.accounts.selectors import staff_with
from marketplace.core.money import Currency, Minor
from marketplace.ledger.models import Account, Posting
from marketplace.ledger.selectors import Balances, balances
from marketplace.payments.models import (
    Debt,
    PaymentMethod,
    PayoutCard,
    PayoutDecision,
    ProviderCredential,
    Refund,
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


def in_order(rows: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """Lines as a bank's statement has them: what has not moved the money yet first, then by when the balance changed.

    Adds `stands_at`, the moment that a line stands by: of what moved money, when it moved it (of a payout that came back,
    when it came back); of what was given up, when that was; of what waits, when it was opened. Sorted are all lines of
    one person, found by their index: what a balance after each line takes anyway.
    """
    came_back = When(type=Type.WITHDRAWAL, status=Transaction.Status.FAILED, then=F("failed_at"))
    moment = Coalesce("journal_entry__created_at", "failed_at", "created_at")
    waits = Q(journal_entry=None, status__in=Transaction.OPEN)
    return rows.annotate(
        stands_at=Case(came_back, default=moment),
        waits=Case(When(waits, then=1), default=0, output_field=SmallIntegerField()),
    ).order_by("-waits", "-stands_at", "-pk")


def found(
    user: Any,
    *,
    types: Iterable[str] = (),
    status: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    currency: str = "",
    text: str = "",
) -> QuerySet[Transaction]:
    """The person's history of these types, in this status, since then and before `until`; empty means any.

    In the order, and by the moments, of `in_order`. `text` is a number as people read it out, or what a line says.
    """
    rows: Any = in_order(transactions_of(user))
    if types:
        rows = rows.filter(type__in=list(types))
    if status:
        rows = rows.filter(status=status)
    if since:
        rows = rows.filter(stands_at__gte=since)
    if until:
        rows = rows.filter(stands_at__lt=until)
    if currency:
        rows = rows.filter(currency=currency)
    return rows.filter(_says(text)) if text else rows


def _says(text: str) -> Q:
    """Lines that show this text in the reader's language, or bear this number."""
    words = text.casefold()
    named = [value for value, label in Type.choices if words in str(label).casefold()]
    says = Q(type__in=named)
    for column in (
        "description", "reason", "payment_method__name", "destination__network", "destination__last_four",
    ):  # fmt: skip
        says |= Q(**{f"{column}__icontains": text})
    number = text.lstrip("#").lower()
    if 4 <= len(number) <= 8 and set(number) <= set(hexdigits):
        says |= Q(pk__iendswith=number)
    return says


def money_of(user: Any) -> Balances:
    """The person's soʻm, read once per request: the page and its header show the same. Not for decisions."""
    known: Balances | None = getattr(user, "_money_shown", None)
    if known is None:
        known = user._money_shown = balances(user)  # noqa: SLF001 (request.user lives as long as its request)
    return known


def is_payout_card_of(user: Any, card_id: UUID) -> bool:
    """Also of one that they have removed."""
    return PayoutCard.objects.filter(user=user, pk=card_id).exists()


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


def unclear(*, at: datetime) -> Q:
    """Refunds about which a person must find out whether they were made (see `Refund.needs_a_look`)."""
    asked = Q(status=Refund.Status.INITIATED)
    return asked & (Q(error__startswith=Refund.UNCLEAR) | Q(created_at__lte=at - Refund.GIVE_UP_AFTER))


def debts_of(user: Any, currency: str = "UZS") -> Minor:
    """What a person owes after money was taken back that they had spent, in minor units."""
    return _debts(user, currency).aggregate(total=Sum(F("amount") - F("repaid")))["total"] or 0


@dataclass(frozen=True, slots=True)
class Wallet:
    """A person's money in one currency, in minor units, and in which currencies they have ever had some."""

    currency: str
    money: Balances
    on_the_way: Minor
    debt: Minor
    currencies: list[str]


def wallet_of(user: Any, currency: str = "UZS") -> Wallet:
    """What the top of the wallet says, in one query. The soʻm are remembered for the page's header."""
    columns = ("currency", "what", "total")
    has = Account.objects.filter(owner_id=user.pk).order_by().annotate(what=F("kind"), total=F("balance"))
    way = _waiting(user).order_by().values("currency").annotate(what=Value("way"), total=Sum("amount"))
    owed = _debts(user).order_by().values("currency")
    debt = owed.annotate(what=Value("debt"), total=Sum(F("amount") - F("repaid")))
    rows = has.values_list(*columns).union(way.values_list(*columns), debt.values_list(*columns), all=True)
    sums = {(code, what): int(total or 0) for code, what, total in rows}

    def money(code: str) -> Balances:
        return Balances(sums.get((code, Account.Kind.AVAILABLE), 0), sums.get((code, Account.Kind.HELD), 0))

    user._money_shown = money(Currency.UZS)  # noqa: SLF001 (see money_of)
    known = {code for code, _what in sums} | {Currency.UZS.value, currency}
    return Wallet(
        currency=currency,
        money=money(currency),
        on_the_way=sums.get((currency, "way"), 0),
        debt=sums.get((currency, "debt"), 0),
        currencies=[code for code in Currency.values if code in known],
    )


def _debts(user: Any, *currency: str) -> QuerySet[Debt]:
    rows = Debt.objects.filter(user=user, repaid_at__isnull=True)
    return rows.filter(currency__in=currency) if currency else rows


def _waiting(user: Any) -> QuerySet[Transaction]:
    return Transaction.objects.filter(user=user, type=Type.WITHDRAWAL, status__in=Transaction.OPEN)


@dataclass(frozen=True, slots=True)
class BalancePoint:
    day: date
    balance: Minor


def balance_by_day(
    user: Any, *, available: Minor, today: date, days: int, currency: str = "UZS"
) -> list[BalancePoint]:
    """What the person could spend at the end of each of the last days, oldest first, from the ledger's postings.

    Days are those of the current time zone, `today` too. `available` is the balance now; the past is counted back from
    it. One query.
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
