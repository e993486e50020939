"""Plans as staff changes them."""

from django.db import transaction

from marketplace.subscriptions import rates
from marketplace.subscriptions.models import SubscriptionPlan


@transaction.atomic
def save_plan(*, plan: SubscriptionPlan) -> None:
    """Save a validated plan. Prices hold from the next purchase and renewal on, the fee from the next trade on.

    This process knows the new fee at once, the others within a minute (see `rates`).
    """
    plan.save()
    transaction.on_commit(rates.forget)
