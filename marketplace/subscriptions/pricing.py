"""What a change of plan costs, and when it takes effect. Only arithmetic: nothing is read and nothing written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from marketplace.core.money import MINOR_PER_MAJOR, Minor
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription


class Change(StrEnum):
    START = "start"  # nothing runs: the period begins now
    NOW = "now"  # better, or for longer: begins now, and what is not used up of the running period counts
    LATER = "later"  # less, or for shorter: the next renewal buys it
    NONE = "none"  # it is what runs, and what comes next


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a change, in minor units of UZS.

    `price` is the plan's, `credit` what counts towards it, `due` what is taken now. The period lasts from `starts_at` to
    `ends_at` and is worth `value`: more than the price when the credit is larger, and then it lasts longer in proportion.
    """

    change: Change
    plan: SubscriptionPlan
    period: Period
    price: Minor
    credit: Minor
    due: Minor
    value: Minor
    starts_at: datetime
    ends_at: datetime


def quote(current: UserSubscription | None, plan: SubscriptionPlan, period: Period, *, at: datetime) -> Quote:
    """What `plan` costs the person whose running subscription is `current` (its `plan` and `next_plan` loaded).

    The unused value of the running period is counted in seconds and rounded up to a whole soʻm, in the person's favour. The
    seconds are counted at `at`, so a price that was shown a minute ago can be had again by asking for that minute.
    """
    price = plan.price(period)
    change = _change(current, plan, period, at=at)
    if change in {Change.LATER, Change.NONE} and current and current.ends_at:
        ends_at = current.ends_at + period.length
        return Quote(change, plan, period, price, 0, 0, price, current.ends_at, ends_at)
    credit = unused(current, at=at) if current else 0
    starts_at = start_of(current, at=at)
    value, length = price, period.length
    if price and credit > price:
        value = credit
        length += timedelta(seconds=(credit - price) * int(length.total_seconds()) // price)
    return Quote(
        change, plan, period, price, credit, max(0, price - credit), value, starts_at, starts_at + length
    )


def unused(current: UserSubscription, *, at: datetime) -> Minor:
    """What the rest of the running period is worth, in minor units, rounded up to a whole soʻm; nothing once it is over."""
    if not current.is_current or current.starts_at is None or current.ends_at is None:
        return 0
    whole = int((current.ends_at - current.starts_at).total_seconds())
    left = min(whole, int((current.ends_at - at).total_seconds()))
    exact = -(-current.price * left // whole) if left > 0 else 0
    return min(current.price, -(-exact // MINOR_PER_MAJOR) * MINOR_PER_MAJOR)


def _change(
    current: UserSubscription | None, plan: SubscriptionPlan, period: Period, *, at: datetime
) -> Change:
    if current is None or current.ends_at is None or current.ends_at <= at:
        return Change.START
    if (plan.pk, period) == (current.renewal_plan.pk, current.renewal_period):
        return Change.NONE
    if (plan.pk, period) == (current.plan_id, current.period):
        return Change.LATER  # back to what runs: only the plan for afterwards is dropped
    longer = plan.pk == current.plan_id and period == Period.YEARLY
    return Change.NOW if longer or plan.level > current.plan.level else Change.LATER


def start_of(current: UserSubscription | None, *, at: datetime) -> datetime:
    """When a period that is bought at `at` begins: then; for who was late with a renewal, where the paid time has ended.

    The benefits went on in the days between.
    """
    if current is None or current.ends_at is None or not current.auto_renew:
        return at
    return max(current.ends_at, at - settings.SUBSCRIPTION_GRACE) if current.ends_at <= at else at
