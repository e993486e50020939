"""A month of a person's money: what there was, every movement, what is left.

The closing balance is the opening one plus all that came less all that went, to the last minor unit, and is the next
month's opening one. Months are those of the person's time zone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, Posting
from marketplace.payments.movements import Movement, postings, read, with_line

Kind = Account.Kind


@dataclass(frozen=True, slots=True)
class Month:
    """One line of the list: the first of the month, and its sums in minor units."""

    first: date
    opening: Minor
    came: Minor
    went: Minor

    @property
    def closing(self) -> Minor:
        return self.opening + self.came - self.went

    @property
    def name(self) -> str:
        """As its address has it: 2026-11."""
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, slots=True)
class KindTotal:
    label: str
    count: int
    came: Minor
    went: Minor


@dataclass(frozen=True, slots=True)
class Held:
    """Money of running trades, apart from what can be spent: at the start, put aside, let go, at the end."""

    opening: Minor
    came: Minor
    went: Minor

    @property
    def closing(self) -> Minor:
        return self.opening + self.came - self.went


@dataclass(frozen=True, slots=True)
class Statement:
    """A month's statement in one currency. `until` is the first moment after it; a running month is not over yet."""

    month: Month
    currency: str
    since: datetime
    until: datetime
    is_running: bool
    movements: list[Movement]
    totals: list[KindTotal]
    held: Held


def bounds(first: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first moments of a month and of the next one."""
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return datetime(first.year, first.month, 1, tzinfo=zone), datetime(
        after.year, after.month, 1, tzinfo=zone
    )


def months(user: Any, *, currency: str, zone: tzinfo) -> list[Month]:
    """The months in which money came or went, newest first. One query."""
    sums = (
        postings(user, currency)
        .order_by()
        .annotate(month=TruncMonth("entry__created_at", tzinfo=zone))
        .values("month")
        .annotate(came=Sum("amount", filter=Q(amount__gt=0)), went=Sum("amount", filter=Q(amount__lt=0)))
        .order_by("month")
    )
    found, balance = [], 0
    for row in sums.values_list("month", "came", "went"):
        moment, came, went = row
        found.append(Month(moment.date(), balance, came or 0, -(went or 0)))
        balance = found[-1].closing
    return found[::-1]


def statement(user: Any, *, first: date, currency: str, zone: tzinfo, at: datetime) -> Statement:
    """The statement of the month that begins on `first`; a running month's goes up to now. Two queries."""
    since, until = bounds(first, zone)
    before = _before(user, currency, since, until)
    rows = postings(user, currency).filter(entry__created_at__gte=since, entry__created_at__lt=until)
    found = list(read(with_line(rows, user), opening=before["opening"] or 0))
    month = Month(
        first=first,
        opening=before["opening"] or 0,
        came=sum(one.came for one in found),
        went=sum(one.went for one in found),
    )
    return Statement(
        month=month,
        currency=currency,
        since=since,
        until=until,
        is_running=at < until,
        movements=found,
        totals=_by_kind(found),
        held=Held(before["held"] or 0, before["put_aside"] or 0, -(before["let_go"] or 0)),
    )


def _before(user: Any, currency: str, since: datetime, until: datetime) -> dict[str, int | None]:
    """What could be spent and what was held at the start, and how what was held moved."""
    rows = Posting.objects.filter(
        account__owner_id=user.pk, account__currency=currency, entry__created_at__lt=until
    )
    earlier, held = Q(entry__created_at__lt=since), Q(account__kind=Kind.HELD)
    return rows.aggregate(
        opening=Sum("amount", filter=earlier & Q(account__kind=Kind.AVAILABLE)),
        held=Sum("amount", filter=earlier & held),
        put_aside=Sum("amount", filter=~earlier & held & Q(amount__gt=0)),
        let_go=Sum("amount", filter=~earlier & held & Q(amount__lt=0)),
    )


def _by_kind(movements: list[Movement]) -> list[KindTotal]:
    """Sums per kind, the largest turnover first."""
    labels: dict[str, str] = {}
    count: Counter[str] = Counter()
    came: Counter[str] = Counter()
    went: Counter[str] = Counter()
    for one in movements:
        labels[one.kind] = one.kind_label
        count[one.kind] += 1
        came[one.kind] += one.came
        went[one.kind] += one.went
    order = sorted(labels, key=lambda kind: -(came[kind] + went[kind]))
    return [KindTotal(labels[kind], count[kind], came[kind], went[kind]) for kind in order]
