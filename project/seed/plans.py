"""Premium and Pro, bought from the wallet as people do."""

from marketplace.accounts.models import User
from marketplace.subscriptions import services
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription
from project.seed.clock import Clock
from project.seed.trades import top_up


def subscribe(user: User, slug: str, period: Period, *, clock: Clock | None = None) -> bool:
    """Let somebody buy that plan, unless they have bought one before; whether they did."""
    if slug == User.Plan.FREE or UserSubscription.objects.filter(user=user).exists():
        return False
    plan = SubscriptionPlan.objects.get(slug=slug)
    top_up(user, plan.price(period), f"plan-{user.email}", clock)
    services.purchase(user=user, plan=plan, period=period, idempotency_key="seed-plan")
    return True
