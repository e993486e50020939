"""What a person decides about their running plan: stop, go on, take a smaller one afterwards."""

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.subscriptions.errors import AlreadySubscribed, NotSubscribed, PlanNotAvailable
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription
from marketplace.subscriptions.pricing import Change, quote
from marketplace.subscriptions.services._steps import current_of, end, free_plan, give, lock, save, tell

Status = UserSubscription.Status


@transaction.atomic
def cancel(*, user: User, reason: str = "") -> UserSubscription:
    """Stop the plan: it runs to the end of the time that is paid for. Where that is over, it ends at once.

    Cancelling twice changes nothing. Raises NotSubscribed.
    """
    lock(user.pk)
    current = _running(user)
    if current.status == Status.CANCELLED:
        return current
    at = timezone.now()
    if current.in_grace:
        save(current, cancelled_at=at, cancel_reason=reason[:300])
        end(current, at=at)
        give(user.pk, free_plan())
        tell(current.user, "plan_ended", plan=current.plan.name)
        return current
    save(
        current,
        status=Status.CANCELLED,
        auto_renew=False,
        cancelled_at=at,
        cancel_reason=reason[:300],
        next_plan=None,
        next_period="",
    )
    tell(current.user, "plan_cancelled", plan=current.plan.name, deadline=current.ends_at)
    return current


@transaction.atomic
def set_auto_renew(*, user: User, is_on: bool) -> UserSubscription:
    """Renew by itself or not. Switching it on takes a cancellation back. Raises NotSubscribed, PlanNotAvailable.

    Switching it off while a payment is late is the same as cancelling.
    """
    lock(user.pk)
    current = _running(user)
    if current.auto_renew == is_on:
        return current
    if not is_on and current.in_grace:
        return cancel(user=user)
    if is_on:
        if not current.renewal_plan.is_active:
            raise PlanNotAvailable(current.renewal_plan.slug)
        save(
            current,
            auto_renew=True,
            status=Status.ACTIVE,
            cancelled_at=None,
            cancel_reason="",
            reminded_at=None,
        )
    else:
        save(current, auto_renew=False, next_plan=None, next_period="", reminded_at=None)
    return current


@transaction.atomic
def change_later(*, user: User, plan: SubscriptionPlan, period: Period) -> UserSubscription:
    """Let the next renewal buy another plan, at its price of that day. Nothing is taken now. Twice is harmless.

    Raises NotSubscribed, PlanNotAvailable, AlreadySubscribed (also for a plan that would begin at once).
    """
    lock(user.pk)
    current = _running(user)
    if plan.is_free or not plan.is_active:
        raise PlanNotAvailable(plan.slug)
    if (current.next_plan_id, current.next_period) == (plan.pk, period):
        return current
    if quote(current, plan, period, at=timezone.now()).change is not Change.LATER:
        raise AlreadySubscribed(f"{plan.slug} {period}")
    return put_off(current, plan, period)


def put_off(current: UserSubscription, plan: SubscriptionPlan, period: Period) -> UserSubscription:
    """Note on a locked subscription what the next renewal buys; what runs already needs no note."""
    is_same = (plan.pk, period) == (current.plan_id, current.period)
    save(
        current,
        next_plan=None if is_same else plan,
        next_period="" if is_same else period,
        auto_renew=True,
        status=Status.ACTIVE,
        cancelled_at=None,
        cancel_reason="",
        reminded_at=None,
    )
    return current


def _running(user: User) -> UserSubscription:
    current = current_of(user.pk)
    if current is None:
        raise NotSubscribed(str(user.pk))
    return current
