"""What moved the money that a person can spend, from the ledger's postings: the truth behind the history's lines.

A movement is one posting on the person's available account. The line of the history that it belongs to, where there is
one, says in words what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Window,
)
from django.db.models.functions import Coalesce, JSONObject

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, JournalEntry, Posting
from marketplace.payments import selectors
from marketplace.payments.models import PaymentMethod, PayoutDestination, Transaction

CHUNK = 500
_ORDER = (F("entry__created_at").asc(), F("pk").asc())
_LINE = JSONObject(
    type="type",
    description="description",
    method="payment_method__name",
    network="destination__network",
    last_four="destination__last_four",
)


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came (plus) or went (minus), in minor units, and what the person could spend afterwards."""

    at: datetime
    kind: str
    kind_label: str
    title: str
    line_id: UUID | None
    amount: Minor
    balance: Minor

    @property
    def number(self) -> str:
        """The number of its line in the history, which people read out to support."""
        return self.line_id.hex[-8:].upper() if self.line_id else ""

    @property
    def came(self) -> Minor:
        return max(self.amount, 0)

    @property
    def went(self) -> Minor:
        return max(-self.amount, 0)


def postings(user: Any, currency: str) -> QuerySet[Posting]:
    """The movements of what a person can spend, oldest first, each with its entry."""
    return (
        Posting.objects.filter(
            account__owner_id=user.pk, account__kind=Account.Kind.AVAILABLE, account__currency=currency
        )
        .select_related("entry")
        .order_by("entry__created_at", "pk")
    )


def with_balance(rows: QuerySet[Posting], only: Q) -> QuerySet[Posting]:
    """Add `balance`, the sum of all `rows` up to each, then keep those that fit `only`."""
    summed = rows.annotate(balance=Window(Sum("amount"), order_by=_ORDER))
    # A condition beside the window would be tried before it and leave rows out of the sums. One that names the window
    # is tried after it, and a sum is never null.
    return summed.filter(Q(balance__isnull=True) | only)


def with_line(rows: QuerySet[Posting], user: Any) -> QuerySet[Posting]:
    """Add `line`, what the history says of each as an object, and `line_id`."""
    lines = Transaction.objects.filter(user=user).order_by("pk")
    own = lines.filter(journal_entry=OuterRef("entry"))
    returned = _returned(lines)
    return rows.annotate(
        line=Subquery(own.annotate(says=_LINE).values("says")[:1]),
        origin=Subquery(returned.annotate(says=_LINE).values("says")[:1]),
        line_id=Coalesce(Subquery(own.values("pk")[:1]), Subquery(returned.values("pk")[:1])),
    )


def _returned(lines: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """The payout that a movement names: one that came back has no line of its own and is told by the payout's."""
    return lines.filter(pk=OuterRef("entry__reference"), type=Transaction.Type.WITHDRAWAL)


def balances_after(user: Any, lines: Iterable[Transaction], currency: str) -> dict[UUID, Minor]:
    """What the person could spend after each line that moved their available money, by the line's key. One query.

    A payout that came back moved it twice: the later counts.
    """
    line_of = {line.journal_entry_id: line.pk for line in lines if line.journal_entry_id}
    if not line_of:
        return {}
    returned = Q(entry__kind=JournalEntry.Kind.PAYOUT_RETURN, entry__reference__in=list(line_of.values()))
    rows: Any = with_balance(postings(user, currency), Q(entry__in=list(line_of)) | returned)
    found: dict[UUID, Minor] = {}
    for row in rows.values_list("entry_id", "entry__reference", "balance"):
        entry, reference, balance = row
        found[line_of.get(entry) or reference] = balance
    return found


def filtered(user: Any, currency: str, criteria: dict[str, Any]) -> QuerySet[Posting]:
    """The movements that fit the history's filters (see `HistoryForm.criteria`), newest first, with line and balance.

    The days are those on which the money moved, as on the page (`selectors.in_order`).
    """
    since, until = criteria["since"], criteria["until"]
    rows, only = with_line(postings(user, currency), user), Q(balance__isnull=False)
    if criteria["types"] or criteria["status"] or criteria["text"]:
        fits = selectors.found(user, **{**criteria, "since": None, "until": None}, currency=currency)
        only &= Q(fits=True)
        # A column of its own: a list beside the window would be read as its first row.
        told = Exists(fits.filter(journal_entry=OuterRef("entry"))) | Exists(_returned(fits))
        rows = rows.annotate(fits=ExpressionWrapper(told, output_field=BooleanField()))
    if since:
        only &= Q(entry__created_at__gte=since)
    if until:
        only &= Q(entry__created_at__lt=until)
    return with_balance(rows, only).order_by("-entry__created_at", "-pk")


def read(rows: Iterable[Any], *, opening: Minor | None = None) -> Iterator[Movement]:
    """The rows of `with_line` as movements. Without a `balance` of their own they are counted on from `opening`."""
    running = opening or 0
    for row in rows:
        running += row.amount
        line = _line(row.line) if row.line else None
        yield Movement(
            at=row.entry.created_at,
            kind=line.type if line else row.entry.kind,
            kind_label=line.get_type_display() if line else row.entry.get_kind_display(),
            title=line.title if line else _titled(row),
            line_id=row.line_id,
            amount=row.amount,
            balance=row.balance if opening is None else running,
        )


def _titled(row: Any) -> str:
    kind: str = row.entry.get_kind_display()
    return f"{kind}: {_line(row.origin).title}" if row.origin else kind


def _line(says: dict[str, str | None]) -> Transaction:
    """A line that knows only what its title is made of; it is never stored."""
    line = Transaction(type=says["type"] or "", description=says["description"] or "")
    if says["method"]:
        line.payment_method = PaymentMethod(name=says["method"])
    if says["last_four"]:
        line.destination = PayoutDestination(network=says["network"] or "", last_four=says["last_four"])
    return line
