"""What people owe after a provider took back money that they had spent. Whatever comes in repays it first.

A debt is changed only under the lock of its debtor's available account, which every posting takes.
"""

import logging
from uuid import UUID

from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.money import Minor, Money
from marketplace.core.prepared import Prepared, Slot
from marketplace.core.transactions import joins_transaction
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import lock_available, post
from marketplace.notifications.services import notify
from marketplace.payments.models import Debt, Refund, Transaction
from marketplace.payments.services.records import record

logger = logging.getLogger("marketplace.payments")


_open_debt = Prepared(
    lambda: Debt.objects.only("pk").filter(
        user=Slot("user_id"), currency=Slot("currency"), repaid_at__isnull=True
    )[:1]
)


def open_debt(*, user: User, refund: Refund, amount: Minor) -> None:
    """Note what a person owes for a refund (minor units). Run it in the transaction of the refund's entry."""
    Debt.objects.create(user=user, refund=refund, amount=amount, currency=refund.currency)
    logger.warning("person %s owes %s %s for refund %s", user.pk, amount, refund.currency, refund.pk)


@joins_transaction
def collect(*, user_id: UUID, currency: str) -> Minor:
    """Repay what the person owes from what they can spend, oldest debt first. Returns how much it was (minor units)."""
    if not _open_debt(user_id=user_id, currency=currency):
        return 0
    user = User.objects.get(pk=user_id)
    left = lock_available(user_id, currency)
    paid = 0
    for debt in Debt.objects.filter(user=user, currency=currency, repaid_at__isnull=True).order_by("pk"):
        part = min(debt.outstanding, left - paid)
        if part <= 0:
            break
        _repay(debt, user, part)
        paid += part
    if paid:
        notify(
            user=user, kind="debt_repaid", context={"amount": Money(paid, currency)}, action_url="/wallet/"
        )
    return paid


def _repay(debt: Debt, user: User, part: Minor) -> None:
    entry = post(
        JournalEntry.Kind.DEBT_REPAYMENT,
        # What was repaid before names the step: a repeat of the same step moves nothing.
        key=f"debt:{debt.pk}:{debt.repaid}",
        currency=debt.currency,
        legs={accounts.available(user.pk): -part, accounts.DEBTS: part},
        reference=debt.pk,
    )
    record(
        user=user,
        type=Transaction.Type.DEBT,
        amount=part,
        currency=debt.currency,
        entry=entry,
        reference=debt.pk,
    )
    debt.repaid += part
    debt.repaid_at = timezone.now() if not debt.outstanding else None
    debt.save(update_fields=["repaid", "repaid_at"])
