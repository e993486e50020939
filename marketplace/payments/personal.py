"""What payments know of a person (see `accounts.traces`)."""

from collections.abc import Iterator

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import Leaver, Obstacle, Part, Row, Share
from marketplace.core.money import Money, to_decimal
from marketplace.payments import services
from marketplace.payments.models import Debt, PayoutCard, PayoutDestination, Refund, Transaction

_CARD = ["kind", "network", "last_four", "bank_code", "created_at", "usable_from", "removed_at"]


def _transactions(user: User) -> Iterator[Row]:
    rows = (
        Transaction.objects.filter(user=user).select_related("payment_method", "destination").order_by("pk")
    )
    for row in rows.defer("destination__card_number").iterator(chunk_size=500):
        yield {
            "number": row.number,
            "type": row.type,
            "status": row.status,
            "amount": str(to_decimal(row.amount)),
            "currency": row.currency,
            "method": row.payment_method.name if row.payment_method else None,
            "destination": str(row.destination) if hasattr(row, "destination") else None,
            "description": row.description,
            "reason": row.reason,
            "refunded": str(to_decimal(row.refunded)),
            "created_at": row.created_at,
            "processed_at": row.processed_at,
            "failed_at": row.failed_at,
        }


def _refunds(user: User) -> Iterator[Row]:
    for row in Refund.objects.filter(payment__user=user).select_related("payment").order_by("pk"):
        yield {
            "what": "refund",
            "of": row.payment.number,
            "status": row.status,
            "amount": str(to_decimal(row.amount)),
            "currency": row.currency,
            "created_at": row.created_at,
            "ended_at": row.ended_at,
        }
    for debt in Debt.objects.filter(user=user).order_by("pk"):
        yield {
            "what": "debt",
            "amount": str(to_decimal(debt.amount)),
            "repaid": str(to_decimal(debt.repaid)),
            "currency": debt.currency,
            "created_at": debt.created_at,
            "repaid_at": debt.repaid_at,
        }


def _cards(user: User) -> Iterator[Row]:
    yield from PayoutCard.objects.filter(user=user).order_by("pk").values(*_CARD).iterator()


def _obstacles(user: User) -> Iterator[Obstacle]:
    owed = Debt.objects.filter(user=user, repaid_at__isnull=True).order_by("currency").values("currency")
    for row in owed.annotate(all=Sum("amount"), back=Sum("repaid")):
        amount = Money(row["all"] - row["back"], row["currency"])
        yield Obstacle(_("You owe %(amount)s.") % {"amount": amount}, reverse("payments:wallet"))
    mine = Transaction.objects.filter(user=user)
    if mine.filter(type=Transaction.Type.WITHDRAWAL, status__in=Transaction.OPEN).exists():
        yield Obstacle(_("A payout is on its way."), reverse("payments:wallet"))
    # A try that a provider has begun may still bring money; one that nobody came for brings none.
    if mine.filter(type=Transaction.Type.DEPOSIT, attempts__state="open").exists():
        yield Obstacle(_("A payment is still being made."), reverse("payments:wallet"))
    if Refund.objects.filter(payment__user=user, status=Refund.Status.INITIATED).exists():
        yield Obstacle(_("A refund is on its way."), reverse("payments:wallet"))
    if mine.filter(contested_at__isnull=False).exists():
        yield Obstacle(_("A payment of yours is contested at its bank."), reverse("payments:wallet"))


def _forget(leaver: Leaver) -> None:
    """The numbers go; of a payout that was made the books keep network and last four digits.

    A payment that nobody came for is given up under its lock, so no provider brings money to somebody who is gone: either it
    has been here before, and this fails and is tried again, or it finds the payment cancelled.
    """
    waiting = Transaction.objects.filter(
        user=leaver.user, type=Transaction.Type.DEPOSIT, status__in=Transaction.OPEN
    )
    for transaction_id in waiting.order_by("pk").values_list("pk", flat=True):
        services.cancel(transaction_id=transaction_id, reason="account deleted")
    PayoutCard.objects.filter(user=leaver.user).delete()
    PayoutDestination.objects.filter(transaction__user=leaver.user).update(card_number="", bank_code="")


SHARE = Share(
    app="payments",
    parts=(
        Part(
            "transactions",
            _("Your money history: top-ups, purchases, sales, payouts."),
            ("payments.Transaction",),
            _transactions,
        ),
        Part("refunds", _("Money that went back, and what you owe or owed."), ("payments.Debt",), _refunds),
        Part(
            "payout_cards", _("Cards and accounts you named for payouts."), ("payments.PayoutCard",), _cards
        ),
    ),
    obstacles=_obstacles,
    forget=_forget,
)
