"""What every step of a subscription shares: the lock, taking money, setting the person's plan, telling them."""

import logging
import uuid
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse

from marketplace.accounts import services as people
from marketplace.accounts.models import User
from marketplace.core.cache import bump, person
from marketplace.core.money import Minor
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.listings import services as listings
from marketplace.notifications.services import notify
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction
from marketplace.subscriptions.models import Subscriber, SubscriptionPlan, UserSubscription

logger = logging.getLogger("marketplace.subscriptions")

Status = UserSubscription.Status


def lock(user_id: uuid.UUID) -> None:
    """Wait for whoever else is at this person's plan; the lock holds until the transaction ends."""
    Subscriber.objects.bulk_create([Subscriber(user_id=user_id)], ignore_conflicts=True)
    Subscriber.objects.select_for_update().get(pk=user_id)


def lock_if_free(user_id: uuid.UUID) -> bool:
    """The same for a sweeper, which leaves a person to whoever is there already. Whether it has the lock."""
    rows = Subscriber.objects.select_for_update(
        skip_locked=connection.features.has_select_for_update_skip_locked
    )
    return rows.filter(pk=user_id).first() is not None


def current_of(user_id: uuid.UUID) -> UserSubscription | None:
    """The running subscription with its plans and its person. Read it under the lock when it is to be changed."""
    rows = UserSubscription.objects.current().select_related("plan", "next_plan", "user")
    return rows.filter(user_id=user_id).first()


def take(
    subscription: UserSubscription,
    amount: Minor,
    *,
    plan: SubscriptionPlan,
    period: str,
    starts_at: datetime,
) -> JournalEntry | None:
    """Move money from the person's wallet for the period that begins at `starts_at`, once; None when nothing is due.

    Raises InsufficientFunds.
    """
    if not amount:
        return None
    entry = post(
        JournalEntry.Kind.SUBSCRIPTION,
        key=f"subscription:{subscription.pk}:{starts_at.timestamp():.0f}",
        currency=SubscriptionPlan.CURRENCY,
        legs={accounts.available(subscription.user_id): -amount, accounts.SUBSCRIPTION: amount},
        reference=subscription.pk,
    )
    payments.record(
        user=subscription.user,
        type=Transaction.Type.SUBSCRIPTION,
        amount=amount,
        currency=SubscriptionPlan.CURRENCY,
        entry=entry,
        reference=subscription.pk,
        description=f"WibeStore {plan.name}",
        metadata={"plan": plan.slug, "period": period},
    )
    return entry


def give(user_id: uuid.UUID, plan: SubscriptionPlan) -> None:
    """Let the person have what the plan brings: the mark of their offers and of themselves, the fee of their next sales."""
    if User.objects.filter(pk=user_id, plan=plan.slug).exists():
        return  # renewed: nothing that the catalogue shows is stale
    listings.note_seller(seller_id=user_id, is_premium=plan.is_premium)
    people.set_plan(user_id=user_id, plan=plan.slug)


def save(subscription: UserSubscription, **changes: Any) -> None:
    """Save a step of a subscription that is locked. A new one is stored by its first step."""
    before = subscription.status
    for name, value in changes.items():
        setattr(subscription, name, value)
    if subscription._state.adding:
        subscription.save(force_insert=True)
    else:
        subscription.save(update_fields=[*changes, "updated_at"])
    logger.info("subscription %s: %s -> %s", subscription.pk, before, subscription.status)
    bump(person(subscription.user_id))


def end(subscription: UserSubscription, *, at: datetime) -> None:
    """Close a subscription: its time is over, another one takes its place, or its payment never came."""
    save(
        subscription,
        status=Status.EXPIRED,
        ended_at=at,
        due_at=None,
        auto_renew=False,
        next_plan=None,
        next_period="",
    )


def free_plan() -> SubscriptionPlan:
    return SubscriptionPlan.objects.get(slug=SubscriptionPlan.Slug.FREE)


def tell(user: User, kind: str, **context: Any) -> None:
    """Notify somebody about their plan; `plan` is given by name."""
    notify(user=user, kind=kind, context=context, action_url=reverse("subscriptions:mine"))
