"""What subscriptions know of a person (see `accounts.traces`)."""

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import Leaver, Part, Row, Share
from marketplace.core.money import to_decimal
from marketplace.subscriptions.models import UserSubscription
from marketplace.subscriptions.services._steps import current_of, end, free_plan, give, lock


def _subscriptions(user: User) -> Iterator[Row]:
    rows = UserSubscription.objects.filter(user=user).select_related("plan", "next_plan").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        yield {
            "plan": row.plan.name,
            "period": row.period,
            "status": row.status,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
            "renews": row.auto_renew,
            "next_plan": row.next_plan.name if row.next_plan else None,
            "price": str(to_decimal(row.price)),
            "paid": str(to_decimal(row.paid)),
            "cancelled_at": row.cancelled_at,
            "cancel_reason": row.cancel_reason,
            "created_at": row.created_at,
        }


def _forget(leaver: Leaver) -> None:
    """What was paid for ends with the account; the books keep what was paid."""
    lock(leaver.user_id)
    current = current_of(leaver.user_id)
    if current is not None:
        end(current, at=timezone.now())
        give(leaver.user_id, free_plan())
    UserSubscription.objects.filter(user=leaver.user).update(cancel_reason="")


SHARE = Share(
    app="subscriptions",
    parts=(
        Part(
            "subscriptions",
            _("Plans you had, and what you paid for them."),
            ("subscriptions.UserSubscription",),
            _subscriptions,
        ),
    ),
    forget=_forget,
)
