"""What the clock does: remind, renew, wait for late money, end. The columns are the truth: no deadline lives in a broker."""

import logging
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from marketplace.core import jobs
from marketplace.core.money import Money
from marketplace.ledger import selectors as ledger
from marketplace.ledger.errors import InsufficientFunds
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription
from marketplace.subscriptions.services._steps import (
    current_of,
    end,
    free_plan,
    give,
    lock,
    lock_if_free,
    save,
    take,
    tell,
)

logger = logging.getLogger("marketplace.subscriptions")

Status = UserSubscription.Status
BATCH = 5000
# Payments are given up after a day: what waits longer than that for its money gets none.
PENDING_FOR = timedelta(hours=25)
TRY_AGAIN_AFTER = timedelta(days=1)


def sweep(*, at: datetime) -> int:
    """End what is over, queue renewals and reminders that are due. Returns how many subscriptions it saw to.

    Two sweepers at once share the work, and a job that is queued twice acts once. One person's trouble keeps nobody
    else waiting: their subscription stays due and is tried again.
    """
    due = UserSubscription.objects.due(at).order_by("due_at")
    renewing = due.filter(auto_renew=True).values_list("pk", flat=True)[:BATCH]
    renewals = [{"user_subscription_id": str(pk)} for pk in renewing]
    reminders = UserSubscription.objects.to_remind(at).order_by("ends_at").values_list("user_id", flat=True)
    reminded = [{"user_id": str(user_id)} for user_id in reminders[:BATCH]]
    with transaction.atomic():
        jobs.enqueue_all("tasks.subscriptions.auto_renew_subscription", renewals)
        jobs.enqueue_all("tasks.subscriptions.send_subscription_expiring_soon", reminded)
    ended = 0
    over = due.filter(auto_renew=False).values_list("pk", "user_id")[:BATCH]
    waiting = UserSubscription.objects.filter(status=Status.PENDING, created_at__lt=at - PENDING_FOR)
    for pk, user_id in [*over, *waiting.order_by("created_at").values_list("pk", "user_id")[:BATCH]]:
        try:
            ended += _end_if_over(pk, user_id, at=at)
        except Exception:
            logger.exception("subscription %s could not be ended", pk)
    return ended + len(renewals) + len(reminded)


@transaction.atomic
def _end_if_over(pk: uuid.UUID, user_id: uuid.UUID, *, at: datetime) -> bool:
    if not lock_if_free(user_id):
        return False
    found = UserSubscription.objects.select_related("plan", "user").get(pk=pk)
    if found.status == Status.PENDING and found.created_at < at - PENDING_FOR:
        end(found, at=at)
        return True
    if not found.is_current or found.auto_renew or found.due_at is None or found.due_at > at:
        return False
    _expire(found, at=at)
    return True


def _expire(subscription: UserSubscription, *, at: datetime) -> None:
    """The person is on Free from now on."""
    end(subscription, at=at)
    give(subscription.user_id, free_plan())
    tell(subscription.user, "plan_ended", plan=subscription.plan.name)


@transaction.atomic
def auto_renew(*, subscription_id: uuid.UUID, at: datetime) -> bool:
    """Renew a subscription whose paid time is over, from the wallet. Whether it was renewed.

    However often it is called, each period is paid once: under the lock nothing is due any more. Without enough money the
    benefits stay for SUBSCRIPTION_GRACE, and it is tried again each day; then it ends. The new period follows the old one
    without a gap. A plan that can no longer be bought, and a person who is switched off, are not renewed.
    """
    found = UserSubscription.objects.filter(pk=subscription_id).values_list("user_id", flat=True).first()
    if found is None:
        return False
    lock(found)
    current = current_of(found)
    if current is None or current.pk != subscription_id or not current.auto_renew:
        return False
    if current.due_at is None or current.ends_at is None or current.due_at > at:
        return False
    plan, period, price = current.renewal_plan, Period(current.renewal_period), current.renewal_price
    if not plan.is_active or not current.user.is_active or current.user.is_leaving:
        _expire(current, at=at)
        return False
    # The clock may have stood still for longer than anybody waits for late money: nobody pays for those days.
    starts_at = current.ends_at if at - current.ends_at <= settings.SUBSCRIPTION_GRACE else at
    try:
        with transaction.atomic():
            entry = take(current, price, plan=plan, period=period, starts_at=starts_at)
    except InsufficientFunds:
        _late(current, at=at)
        return False
    save(
        current,
        status=Status.ACTIVE,
        plan=plan,
        period=period,
        starts_at=starts_at,
        ends_at=starts_at + period.length,
        due_at=starts_at + period.length,
        price=price,
        paid=price,
        journal_entry=entry,
        next_plan=None,
        next_period="",
        reminded_at=None,
    )
    give(current.user_id, plan)
    amount = Money(price, SubscriptionPlan.CURRENCY)
    tell(current.user, "plan_renewed", plan=plan.name, amount=amount, deadline=current.ends_at)
    return True


def _late(current: UserSubscription, *, at: datetime) -> None:
    """Not enough money: keep the benefits a little, or end them."""
    grace_ends_at = current.grace_ends_at
    if grace_ends_at is None or at >= grace_ends_at:
        _expire(current, at=at)
        return
    is_first = not current.in_grace
    save(current, status=Status.GRACE, due_at=min(at + TRY_AGAIN_AFTER, grace_ends_at))
    if is_first:
        amount = Money(current.renewal_price, SubscriptionPlan.CURRENCY)
        plan = current.renewal_plan.name
        tell(current.user, "plan_payment_late", plan=plan, amount=amount, deadline=grace_ends_at)


@transaction.atomic
def remind(*, user_id: uuid.UUID, at: datetime | None = None) -> bool:
    """Tell a person that their paid time ends soon, once a period: what will be taken, and whether it is there.

    Whether they were told now. By e-mail and in the inbox.
    """
    lock(user_id)
    current = current_of(user_id)
    soon = UserSubscription.objects.to_remind(at or timezone.now())
    if current is None or not soon.filter(pk=current.pk).exists():
        return False
    save(current, reminded_at=at or timezone.now())
    price, plan = current.renewal_price, current.renewal_plan.name
    if not current.auto_renew or not current.renewal_plan.is_active:
        tell(current.user, "plan_ending", plan=current.plan.name, deadline=current.ends_at)
        return True
    missing = price - ledger.balances(current.user, SubscriptionPlan.CURRENCY).available
    amount = Money(price, SubscriptionPlan.CURRENCY)
    if missing > 0:
        lacking = Money(missing, SubscriptionPlan.CURRENCY)
        tell(
            current.user,
            "plan_renewal_short",
            plan=plan,
            amount=amount,
            missing=lacking,
            deadline=current.ends_at,
        )
    else:
        tell(current.user, "plan_renewal_soon", plan=plan, amount=amount, deadline=current.ends_at)
    return True
