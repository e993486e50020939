"""People with plans, made by the real services, so that the books fit them."""

import uuid

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger.tests.factories import fund
from marketplace.payments import services as payments
from marketplace.payments.providers.base import Settle
from marketplace.subscriptions import services
from marketplace.subscriptions.models import Period, SubscriptionPlan

MONTH = {"premium": 49_000_00, "pro": 149_000_00}
YEAR = {"premium": 490_000_00, "pro": 1_490_000_00}
RICH = 5_000_000_00


def plan(slug="premium"):
    return SubscriptionPlan.objects.get(slug=slug)


def rich(amount=RICH, **fields):
    """Somebody with that much in the wallet."""
    user = UserFactory(**fields)
    fund(user, amount)
    return user


def buy(user, slug="premium", period=Period.MONTHLY, key=None, **more):
    return services.purchase(
        user=user, plan=plan(slug), period=period, idempotency_key=key or uuid.uuid4().hex, **more
    )


def subscribed(slug="premium", period=Period.MONTHLY, *, left=RICH, **fields):
    """The running subscription of somebody who has `left` in the wallet after paying for it."""
    price = plan(slug).price(period)
    return buy(rich(price + left, **fields), slug, period)


def plan_of(user):
    return User.objects.get(pk=user.pk).plan


def arrive(payment):
    """The provider's money for a payment is here, as its webhook would say."""
    command = Settle(payment.pk, f"sb_{payment.pk.hex[-12:]}", payment.amount)
    return payments.act(command, "sandbox").payment
