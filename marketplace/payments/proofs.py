"""What `manage.py reconcile` proves about payments."""

from django.db.models import Exists, OuterRef, Q, Sum

from marketplace.ledger.checks import MOST_ROWS, Proof
from marketplace.ledger.models import Account, Posting
from marketplace.payments.models import Transaction


def completed_transactions_have_their_entry() -> Proof:
    """Each completed line of somebody's history points to an entry that moved just that amount on their accounts."""
    completed = Transaction.objects.filter(status=Transaction.Status.COMPLETED)
    moved = Posting.objects.filter(
        Q(amount=OuterRef("amount")) | Q(amount=-OuterRef("amount")),
        entry_id=OuterRef("journal_entry_id"),
        account__owner_id=OuterRef("user_id"),
        account__currency=OuterRef("currency"),
    )
    wrong = completed.filter(~Exists(moved))[:MOST_ROWS]
    rows = [
        f"transaction {row.pk}: {row.type} of {row.amount} {row.currency}, entry {row.journal_entry_id}"
        for row in wrong
    ]
    return Proof("completed transactions point to an entry of the same amount", completed.count(), rows)


def payouts_are_accounted_for() -> Proof:
    """Per currency: what stands on the payouts account is what people wait for."""
    waiting = Transaction.objects.filter(type=Transaction.Type.WITHDRAWAL, status__in=Transaction.OPEN)
    asked = dict(waiting.values_list("currency").annotate(total=Sum("amount")))
    postings = Posting.objects.filter(account__kind=Account.Kind.PAYOUTS).values_list("account__currency")
    books = {currency: total for currency, total in postings.annotate(total=Sum("amount")) if total}
    rows = [
        f"{currency}: the books have {books.get(currency, 0)}, people wait for {asked.get(currency, 0)}"
        for currency in sorted(books.keys() | asked.keys())
        if books.get(currency, 0) != asked.get(currency, 0)
    ]
    return Proof("payouts on their way equal the open withdrawals", waiting.count(), rows)
