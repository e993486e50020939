"""Buying a plan: from the wallet, or through a provider whose money goes on from the wallet at once."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.accounts.deletion import must_stay
from marketplace.accounts.models import User
from marketplace.core.money import Minor, Money
from marketplace.ledger.errors import KeyReused
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction
from marketplace.subscriptions.errors import AlreadySubscribed, NothingToPay, PlanNotAvailable, QuoteChanged
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription
from marketplace.subscriptions.pricing import Change, Quote, quote, start_of
from marketplace.subscriptions.services._steps import current_of, end, give, lock, logger, save, take, tell
from marketplace.subscriptions.services.changes import put_off

Status = UserSubscription.Status
PURPOSE = "subscription"
# How long a price that was shown can be had: the unused days of a running plan lose a little every second.
QUOTE_HOLDS = timedelta(minutes=30)


def purchase(
    *,
    user: User,
    plan: SubscriptionPlan,
    period: Period,
    idempotency_key: str,
    quoted_at: datetime | None = None,
    expected_amount: Minor | None = None,
    auto_renew: bool = True,
) -> UserSubscription:
    """Buy a plan from the wallet, or change to it. Returns the subscription that runs now.

    A better plan, or a year instead of a month, begins at once, and the unused value of the running period is taken off
    the price (`pricing.quote`). A smaller one costs nothing now: the next renewal buys it. `expected_amount` (minor units)
    is what the person saw at `quoted_at`; another price is refused. A repeat of the key gives the same subscription and
    moves nothing; one that waits for a provider's money is paid from the wallet instead. Without enough money nothing is
    changed.

    Raises PlanNotAvailable, AlreadySubscribed, QuoteChanged, InsufficientFunds, KeyReused.
    """
    try:
        with transaction.atomic():
            lock(user.pk)
            again = _sent_before(user, plan, period, idempotency_key)
            if again and again.status != Status.PENDING:
                return again
            at = timezone.now()
            current = current_of(user.pk)
            if current and (current.next_plan_id, current.next_period) == (plan.pk, period):
                return current
            offer = _quoted(current, plan, period, at=at, quoted_at=quoted_at)
            if expected_amount is not None and offer.due != expected_amount:
                raise QuoteChanged(f"{plan.slug}: {expected_amount} -> {offer.due}")
            if current and offer.change is Change.LATER:
                return put_off(current, plan, period)
            bought = again or _new(user, offer, idempotency_key, auto_renew=auto_renew)
            _begin(bought, current, offer, at=at)
            return bought
    except IntegrityError:
        # Only where the lock was passed by: the database itself lets one subscription run.
        if again := _sent_before(user, plan, period, idempotency_key):
            return again
        if current_of(user.pk):
            raise AlreadySubscribed(f"{user.pk}") from None
        raise


def purchase_through(
    *,
    user: User,
    plan: SubscriptionPlan,
    period: Period,
    method_code: str,
    idempotency_key: str,
    return_url: str = "",
    quoted_at: datetime | None = None,
    expected_amount: Minor | None = None,
    auto_renew: bool = True,
) -> tuple[UserSubscription, Transaction]:
    """Start a payment at a provider for a plan. Returns the subscription, pending until the money arrives, and the payment.

    A repeat of the key gives the same pair. Raises what `purchase` and `payments.start_payment` do, and NothingToPay where
    no money is due now.
    """
    with transaction.atomic():
        lock(user.pk)
        waiting = _sent_before(user, plan, period, idempotency_key)
        if waiting is None:
            at = timezone.now()
            offer = _quoted(current_of(user.pk), plan, period, at=at, quoted_at=quoted_at)
            if expected_amount is not None and offer.due != expected_amount:
                raise QuoteChanged(f"{plan.slug}: {expected_amount} -> {offer.due}")
            if not offer.due:
                raise NothingToPay(f"{user.pk} to {plan.slug}")
            waiting = _new(user, offer, idempotency_key, auto_renew=auto_renew)
            save(waiting)
    key = f"plan:{idempotency_key}"
    if waiting.status != Status.PENDING:
        payment = Transaction.objects.filter(user=user, idempotency_key=key).first()
        if payment is None:
            raise KeyReused(f"subscription {waiting.pk} was paid from the wallet")
        return waiting, payment
    payment = payments.start_payment(
        user=user,
        amount=waiting.paid,
        currency=SubscriptionPlan.CURRENCY,
        method_code=method_code,
        purpose=PURPOSE,
        reference=waiting.pk,
        idempotency_key=key,
        return_url=return_url,
        description=f"WibeStore {plan.name}",
    )
    return waiting, payment


def lock_for_payment(paid: Transaction) -> None:
    """Take the subscriber's lock before ledger accounts are locked, so that all writers lock in one order."""
    lock(paid.user_id)


def settle_payment(paid: Transaction) -> None:
    """The provider's money has arrived in the wallet, in this transaction: begin the plan it was paid for.

    The unused days of a running plan count as they did when the person left for the provider. Where the money does not
    suffice (the price has risen, what ran has ended), the plan can no longer be bought, or the wait was over, the money
    stays in the wallet and the person is told.
    """
    waiting = (
        UserSubscription.objects.select_related("plan", "user")
        .filter(pk=str(paid.reference), user_id=paid.user_id)
        .first()
    )
    if waiting is None or waiting.is_current:
        return
    at = timezone.now()
    current = current_of(paid.user_id)
    offer = quote(current, waiting.plan, Period(waiting.period), at=waiting.created_at)
    fits = (
        waiting.status == Status.PENDING
        and waiting.plan.is_active
        and offer.change in {Change.START, Change.NOW}
        and offer.due <= paid.amount
    )
    if fits:
        _begin(waiting, current, offer, at=at)
        return
    logger.warning("payment %s came for a plan that cannot begin (%s)", paid.pk, waiting.status)
    if waiting.status == Status.PENDING:
        end(waiting, at=at)
    tell(waiting.user, "plan_not_started", plan=waiting.plan.name, amount=Money(paid.amount, paid.currency))


def _sent_before(user: User, plan: SubscriptionPlan, period: str, key: str) -> UserSubscription | None:
    """The subscription that this key has bought, or begun to. Raises KeyReused when the key was for something else."""
    rows = UserSubscription.objects.select_related("plan", "next_plan", "user")
    found = rows.filter(user=user, idempotency_key=key).first()
    if found and (found.plan_id, found.period) != (plan.pk, period):
        raise KeyReused(f"subscription {found.pk}")
    if found and found.status == Status.EXPIRED and found.starts_at is None:
        raise KeyReused(f"subscription {found.pk} has waited for its money in vain")
    return found


def _quoted(
    current: UserSubscription | None,
    plan: SubscriptionPlan,
    period: Period,
    *,
    at: datetime,
    quoted_at: datetime | None,
) -> Quote:
    if plan.is_free or not plan.is_active:
        raise PlanNotAvailable(plan.slug)
    if quoted_at is not None and not at - QUOTE_HOLDS <= quoted_at <= at + timedelta(minutes=1):
        raise QuoteChanged(f"{plan.slug}: quoted at {quoted_at}")
    offer = quote(current, plan, period, at=quoted_at or at)
    if offer.change is Change.NONE:
        raise AlreadySubscribed(f"{plan.slug} {period}")
    return offer


def _new(user: User, offer: Quote, key: str, *, auto_renew: bool) -> UserSubscription:
    """A subscription that is not stored yet. Raises AccountLeaving."""
    must_stay(user)
    return UserSubscription(
        user=user,
        plan=offer.plan,
        period=offer.period,
        price=offer.value,
        paid=offer.due,
        auto_renew=auto_renew,
        idempotency_key=key,
    )


def _begin(bought: UserSubscription, current: UserSubscription | None, offer: Quote, *, at: datetime) -> None:
    """Pay for a new subscription and let it take the place of what ran."""
    # The price may be that of some minutes ago, the period begins now.
    starts_at = start_of(current, at=at)
    ends_at = starts_at + (offer.ends_at - offer.starts_at)
    entry = take(bought, offer.due, plan=bought.plan, period=bought.period, starts_at=starts_at)
    if current is not None:
        end(current, at=at)
    save(
        bought,
        status=Status.ACTIVE,
        starts_at=starts_at,
        ends_at=ends_at,
        due_at=ends_at,
        price=offer.value,
        paid=offer.due,
        journal_entry=entry,
    )
    give(bought.user_id, bought.plan)
    tell(
        bought.user,
        "plan_started",
        plan=bought.plan.name,
        amount=Money(offer.due, SubscriptionPlan.CURRENCY),
        deadline=ends_at,
    )
