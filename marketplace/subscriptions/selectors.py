"""Reads: the plans, one's own, and what they have cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum

from marketplace.accounts.models import User
from marketplace.core.money import Minor, share
from marketplace.ledger.models import JournalEntry, Posting
from marketplace.payments.models import Transaction
from marketplace.subscriptions import rates
from marketplace.subscriptions.models import SubscriptionPlan, UserSubscription

# A visitor's turnover of a month in the comparison, and what a seller's counts from.
SAMPLE_TURNOVER: Minor = 3_000_000_00
TURNOVER_DAYS = 30


def commission(seller: User) -> int:
    """The fee of this seller's sales today, in basis points; a minute old at most, and mostly without a query."""
    return rates.commission(seller.plan)


def plans() -> QuerySet[SubscriptionPlan]:
    """What can be bought, and Free, the smallest first."""
    return SubscriptionPlan.objects.filter(is_active=True)


def plan_by_slug(slug: str) -> SubscriptionPlan | None:
    """A plan that can be bought; None for Free and for what is switched off."""
    return plans().exclude(slug=SubscriptionPlan.Slug.FREE).filter(slug=slug).first()


def current_of(user: Any) -> UserSubscription | None:
    """A person's running subscription with its plans. One query."""
    rows = UserSubscription.objects.current().of(user)
    return rows.select_related("plan", "next_plan").first()


def waiting_of(user: Any, *, at: datetime) -> Transaction | None:
    """A payment for a plan that has not arrived yet, begun in the last hours. One query."""
    return (
        Transaction.objects.filter(
            user=user,
            type=Transaction.Type.DEPOSIT,
            purpose="subscription",
            status__in=Transaction.OPEN,
            created_at__gt=at - timedelta(hours=25),
        )
        .order_by("-pk")
        .first()
    )


def payments_of(user: Any) -> QuerySet[Transaction]:
    """What a person has paid for plans, newest first: lines of their money history."""
    return Transaction.objects.filter(user=user, type=Transaction.Type.SUBSCRIPTION).order_by("-pk")


def turnover_of(user: Any, *, at: datetime) -> Minor:
    """What a seller's finished sales of the last days have cost their buyers, in minor units. One query."""
    released = Posting.objects.filter(
        entry__kind=JournalEntry.Kind.RELEASE,
        entry__transactions__user=user,
        entry__transactions__type=Transaction.Type.SALE,
        entry__transactions__currency=SubscriptionPlan.CURRENCY,
        entry__transactions__processed_at__gt=at - timedelta(days=TURNOVER_DAYS),
        amount__gt=0,
    )
    return released.aggregate(total=Sum("amount"))["total"] or 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a month costs on a plan: its price and the fees; `step` is the bar, in steps of five per cent."""

    plan: SubscriptionPlan
    amount: Minor
    step: int


def costs(plans_: list[SubscriptionPlan], *, turnover: Minor, yearly: bool) -> list[Cost]:
    """A month's costs on each plan for a seller of that turnover (minor units). Reads nothing."""
    amounts = [
        (plan.price_of_a_month if yearly else plan.price_monthly)
        + share(turnover, plan.commission_basis_points)
        for plan in plans_
    ]
    most = max(amounts, default=0) or 1
    return [
        Cost(plan, amount, max(5, round(amount * 20 / most) * 5))
        for plan, amount in zip(plans_, amounts, strict=True)
    ]
