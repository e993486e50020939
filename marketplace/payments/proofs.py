"""What `manage.py reconcile` proves about payments."""

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from marketplace.ledger.checks import MOST_ROWS, Proof
from marketplace.ledger.models import Account, Posting
from marketplace.payments.models import Debt, PaymentAttempt, Refund, Transaction


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
    return Proof(
        "payouts on their way equal the open withdrawals",
        waiting.count(),
        _differences(Account.Kind.PAYOUTS, asked),
    )


def debts_are_accounted_for() -> Proof:
    """Per currency: what the books say people owe is what their open debts sum to."""
    open_ones = Debt.objects.filter(repaid_at__isnull=True)
    owed = dict(open_ones.values_list("currency").annotate(total=Sum(F("amount") - F("repaid"))))
    return Proof(
        "debts in the books equal the open debts",
        open_ones.count(),
        _differences(Account.Kind.DEBTS, owed, sign=-1),
    )


def refunds_are_accounted_for() -> Proof:
    """Per currency: what stands on the refunds account is on its way to payers."""
    waiting = Refund.objects.filter(status=Refund.Status.INITIATED)
    asked = dict(waiting.values_list("currency").annotate(total=Sum("amount")))
    return Proof(
        "refunds on their way equal the open refunds",
        waiting.count(),
        _differences(Account.Kind.REFUNDS, asked),
    )


def refunds_add_up() -> Proof:
    """What each deposit says was given back is the sum of its refunds that did not fail."""
    rows = (
        Transaction.objects.filter(type=Transaction.Type.DEPOSIT)
        .annotate(given=Coalesce(Sum("refunds__amount", filter=~Q(refunds__status=Refund.Status.FAILED)), 0))
        .exclude(given=F("refunded"))
    )
    wrong = [
        f"deposit {row.pk}: says {row.refunded}, its refunds sum to {row.given}" for row in rows[:MOST_ROWS]
    ]
    return Proof("refunds of a deposit add up to what it says", Refund.objects.count(), wrong)


def captured_tries_are_completed_deposits() -> Proof:
    """Each try of a provider that was captured belongs to a completed deposit of the same amount."""
    captured = PaymentAttempt.objects.filter(
        state__in=[PaymentAttempt.State.CAPTURED, PaymentAttempt.State.REFUNDED]
    )
    wrong = captured.exclude(
        payment__status=Transaction.Status.COMPLETED,
        amount=F("payment__amount"),
        currency=F("payment__currency"),
    )
    rows = [f"{row.provider} {row.provider_id} of deposit {row.payment_id}" for row in wrong[:MOST_ROWS]]
    return Proof("captured tries belong to completed deposits", captured.count(), rows)


def _differences(kind: str, expected: dict[str, int], *, sign: int = 1) -> list[str]:
    postings = Posting.objects.filter(account__kind=kind).values_list("account__currency")
    books = {currency: sign * total for currency, total in postings.annotate(total=Sum("amount")) if total}
    return [
        f"{currency}: the books have {books.get(currency, 0)}, the rows {expected.get(currency, 0)}"
        for currency in sorted(books.keys() | expected.keys())
        if books.get(currency, 0) != expected.get(currency, 0)
    ]
