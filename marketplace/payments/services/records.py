"""History rows for money that other apps have moved."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.money import Minor
from marketplace.ledger.models import JournalEntry
from marketplace.payments.models import Transaction


def record(
    *,
    user: User,
    type: str,  # noqa: A002 (the spec's word, and the column's)
    amount: Minor,
    currency: str,
    entry: JournalEntry,
    reference: UUID | None = None,
    description: str = "",
    metadata: dict[str, Any] | None = None,
) -> None:
    """Add a completed line to the person's history, pointing to the entry that moved the money (minor units).

    Run it in the transaction of the entry. A repeat for the same entry, person and type adds nothing.
    """
    row = Transaction(
        user=user,
        type=type,
        journal_entry=entry,
        idempotency_key=f"entry:{entry.pk}:{type}",
        amount=amount,
        currency=currency,
        status=Transaction.Status.COMPLETED,
        processed_at=timezone.now(),
        reference=reference,
        description=description[:200],
        metadata=metadata or {},
    )
    Transaction.objects.bulk_create([row], ignore_conflicts=True)
