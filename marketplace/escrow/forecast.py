"""When a seller's money of running sales will be free: by sale, by day and by week.

A trade's `due_at` ends the step it is in; the waits of the steps after it come from the settings. So the moment is exact
in the last wait, and "at the latest" before it, since every step may be done sooner. A dispute stops the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.core.money import Minor
from marketplace.escrow.models import EscrowTransaction

Status = EscrowTransaction.Status
WEEKS_AT_LEAST, WEEKS_AT_MOST = 2, 8
DAYS = 7


class Wait(models.TextChoices):
    """What a sale's money waits for."""

    PAYMENT = "payment", _("Waits for the payment")
    HAND_OVER = "hand_over", _("Waits for your hand-over")
    BUYER = "buyer", _("The buyer checks the account")
    PROTECTION = "protection", _("Protection period")
    DISPUTE = "dispute", _("Frozen by a dispute")


REASONS: dict[Wait, str | Promise] = {
    Wait.PAYMENT: _("Nobody has paid yet. If nobody does, the listing is for sale again."),
    Wait.HAND_OVER: _("Put the login into the secure box, or the buyer is refunded."),
    Wait.BUYER: _("If the buyer says nothing, the account counts as received."),
    Wait.PROTECTION: _(
        "The buyer has the account and may still open a dispute. They may also release the money sooner."
    ),
    Wait.DISPUTE: _("A moderator hears both sides. Nothing happens by itself now."),
}


@dataclass(frozen=True, slots=True)
class Sale:
    """One running sale. Amounts in minor units; `free_at` is None while it is frozen."""

    trade: EscrowTransaction
    wait: Wait
    free_at: datetime | None

    @property
    def is_exact(self) -> bool:
        """Whether no step must happen before the money is free."""
        return self.wait == Wait.PROTECTION

    @property
    def is_paid(self) -> bool:
        return self.wait != Wait.PAYMENT

    @property
    def reason(self) -> str | Promise:
        return REASONS[self.wait]

    @property
    def net(self) -> Minor:
        return self.trade.seller_earnings


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    total: Minor
    count: int
    is_past: bool
    is_today: bool


@dataclass(frozen=True, slots=True)
class Week:
    days: list[Day]

    @property
    def total(self) -> Minor:
        return sum(day.total for day in self.days)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The sums of one currency, in minor units: what comes by itself, what is frozen, what is not paid for yet."""

    currency: str
    coming: Minor
    frozen: Minor
    unpaid: Minor
    weeks: list[Week]


@dataclass(frozen=True, slots=True)
class Forecast:
    sales: list[Sale]
    outlooks: list[Outlook]


def forecast(seller: Any, *, at: datetime, zone: tzinfo) -> Forecast:
    """A seller's running sales, the one that is free first at the top. Days are those of `zone`. One query."""
    trades = EscrowTransaction.objects.filter(
        seller=seller, status__in=EscrowTransaction.OPEN
    ).select_related("listing__game", "buyer")
    sales = [_sale(trade, at) for trade in trades]
    sales.sort(key=lambda sale: (sale.free_at is None, sale.free_at or at, sale.trade.pk))
    currencies = dict.fromkeys(sale.trade.currency for sale in sales)
    return Forecast(
        sales=sales,
        outlooks=[
            _outlook(
                code,
                [sale for sale in sales if sale.trade.currency == code],
                at.astimezone(zone).date(),
                zone,
            )
            for code in sorted(currencies, key=lambda code: (code != "UZS", code))
        ],
    )


def _sale(trade: EscrowTransaction, at: datetime) -> Sale:
    wait = _wait(trade)
    if trade.due_at is None:
        return Sale(trade, wait, None)
    # What is due already is acted on by the next sweep.
    due, after = max(trade.due_at, at), timedelta()
    if wait == Wait.PAYMENT:
        after += settings.ESCROW_HAND_OVER_WINDOW
    if wait in {Wait.PAYMENT, Wait.HAND_OVER}:
        after += settings.ESCROW_ACCEPT_WINDOW
    if wait != Wait.PROTECTION:
        after += settings.ESCROW_RELEASE_DELAY
    return Sale(trade, wait, due + after)


def _wait(trade: EscrowTransaction) -> Wait:
    if trade.status == Status.DISPUTED:
        return Wait.DISPUTE
    if trade.status == Status.DELIVERED:
        return Wait.PROTECTION
    if trade.status == Status.PENDING_PAYMENT:
        return Wait.PAYMENT
    return Wait.BUYER if trade.is_handed_over else Wait.HAND_OVER


def _outlook(currency: str, sales: list[Sale], today: date, zone: tzinfo) -> Outlook:
    coming = [sale for sale in sales if sale.free_at and sale.is_paid]
    return Outlook(
        currency=currency,
        coming=sum(sale.net for sale in coming),
        frozen=sum(sale.net for sale in sales if sale.free_at is None),
        unpaid=sum(sale.net for sale in sales if not sale.is_paid),
        weeks=list(_weeks(coming, today, zone)),
    )


def _weeks(sales: list[Sale], today: date, zone: tzinfo) -> Iterable[Week]:
    """Whole weeks from Monday of this one, to the last day on which money comes."""
    monday = today - timedelta(days=today.weekday())
    by_day: dict[date, list[Minor]] = {}
    for sale in sales:
        if sale.free_at:
            by_day.setdefault(sale.free_at.astimezone(zone).date(), []).append(sale.net)
    last = max(by_day, default=today)
    number = min(max((last - monday).days // DAYS + 1, WEEKS_AT_LEAST), WEEKS_AT_MOST)
    for week in range(number):
        days = [monday + timedelta(days=week * DAYS + place) for place in range(DAYS)]
        yield Week(
            [
                Day(
                    day=day,
                    total=sum(by_day.get(day, ())),
                    count=len(by_day.get(day, ())),
                    is_past=day < today,
                    is_today=day == today,
                )
                for day in days
            ]
        )
