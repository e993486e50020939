"""Money that goes out to a person's card.

It leaves the wallet at once and stands on the house's payouts account until somebody has sent it, or it comes back.
"""

import logging
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.money import MAX_MINOR, Minor, Money
from marketplace.ledger import accounts
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.notifications.services import notify
from marketplace.payments import cards
from marketplace.payments.errors import AmountOutOfRange, PaymentNotOpen, PayoutsFrozen, UnknownPayment
from marketplace.payments.facts import WithdrawalCompleted, WithdrawalFailed, WithdrawalRequested
from marketplace.payments.models import PayoutDestination, Transaction
from marketplace.payments.services import debts

logger = logging.getLogger("marketplace.payments")

Status = Transaction.Status
# The clearing account of the bank that sends payouts.
BANK = "payout"


@transaction.atomic
def withdraw(
    *, user: User, amount: Minor, card_number: str, idempotency_key: str, currency: str = "UZS"
) -> Transaction:
    """Ask for a payout to a card: the money leaves the wallet now. Returns the pending transaction.

    `amount` in minor units. A repeat of the key gives the same transaction and moves nothing. The card's number is kept
    encrypted; only its last four digits are ever shown.

    Raises AmountOutOfRange, BadCard, InsufficientFunds, KeyReused, PayoutsFrozen.
    """
    if type(amount) is not int or not settings.WITHDRAWAL_MIN <= amount <= MAX_MINOR:
        raise AmountOutOfRange(f"withdrawal of {amount!r}")
    card = cards.read(card_number)
    payout, made = Transaction.objects.get_or_create(
        user=user,
        idempotency_key=idempotency_key,
        defaults={"amount": amount, "currency": currency, "type": Transaction.Type.WITHDRAWAL},
    )
    if not made:
        return _same(payout, amount, currency, card)
    if Transaction.objects.filter(user=user, contested_at__isnull=False).exists():
        raise PayoutsFrozen(str(user.pk))
    debts.collect(user=user, currency=currency)
    PayoutDestination.objects.create(
        transaction=payout, card_number=card.number, last_four=card.last_four, network=card.network
    )
    payout.journal_entry = post(
        JournalEntry.Kind.WITHDRAWAL,
        key=f"withdrawal:{payout.pk}:request",
        currency=currency,
        legs={accounts.available(user.pk): -amount, accounts.PAYOUTS: amount},
        reference=payout.pk,
    )
    payout.save(update_fields=["journal_entry"])
    logger.info("withdrawal %s of %s %s requested to card *%s", payout.pk, amount, currency, card.last_four)
    _tell(payout, "withdrawal_requested")
    announce(WithdrawalRequested(payout.pk, user.pk))
    return payout


def _same(payout: Transaction, amount: Minor, currency: str, card: cards.Card) -> Transaction:
    same = (payout.type, payout.amount, payout.currency) == (Transaction.Type.WITHDRAWAL, amount, currency)
    if not same or payout.destination.card_number != card.number:
        raise KeyReused(f"withdrawal {payout.pk}")
    return payout


@transaction.atomic
def complete_withdrawal(*, transaction_id: UUID, provider_id: str = "") -> Transaction:
    """The bank has sent it. Twice is harmless. Raises UnknownPayment, PaymentNotOpen when it has failed before."""
    payout = _locked(transaction_id)
    if payout.status == Status.COMPLETED:
        return payout
    if not payout.is_open:
        raise PaymentNotOpen(f"{payout.pk} is {payout.status}")
    post(
        JournalEntry.Kind.PAYOUT,
        key=f"withdrawal:{payout.pk}:sent",
        currency=payout.currency,
        legs={accounts.PAYOUTS: -payout.amount, accounts.clearing(BANK): payout.amount},
        reference=payout.pk,
    )
    payout.status, payout.processed_at, payout.provider_transaction_id = (
        Status.COMPLETED,
        timezone.now(),
        provider_id,
    )
    payout.save(update_fields=["status", "processed_at", "provider_transaction_id"])
    logger.info("withdrawal %s sent", payout.pk)
    _tell(payout, "withdrawal_completed")
    announce(WithdrawalCompleted(payout.pk, payout.user_id))
    return payout


@transaction.atomic
def fail_withdrawal(*, transaction_id: UUID, reason: str) -> Transaction:
    """The bank could not send it: the money is back in the wallet. Twice is harmless.

    Raises UnknownPayment, PaymentNotOpen when it was sent before.
    """
    payout = _locked(transaction_id)
    if payout.status == Status.FAILED:
        return payout
    if not payout.is_open:
        raise PaymentNotOpen(f"{payout.pk} is {payout.status}")
    post(
        JournalEntry.Kind.PAYOUT_RETURN,
        key=f"withdrawal:{payout.pk}:return",
        currency=payout.currency,
        legs={accounts.PAYOUTS: -payout.amount, accounts.available(payout.user_id): payout.amount},
        reference=payout.pk,
    )
    payout.status, payout.failed_at, payout.reason = Status.FAILED, timezone.now(), reason[:200]
    payout.save(update_fields=["status", "failed_at", "reason"])
    logger.info("withdrawal %s failed: %s", payout.pk, reason)
    _tell(payout, "withdrawal_failed", reason=payout.reason)
    debts.collect(user=payout.user, currency=payout.currency)
    announce(WithdrawalFailed(payout.pk, payout.user_id))
    return payout


def _locked(transaction_id: UUID) -> Transaction:
    found = Transaction.objects.select_for_update(of=("self",)).select_related("user", "destination")
    payout = found.filter(pk=transaction_id, type=Transaction.Type.WITHDRAWAL).first()
    if payout is None:
        raise UnknownPayment(str(transaction_id))
    return payout


def _tell(payout: Transaction, kind: str, **words: str) -> None:
    notify(
        user=payout.user,
        kind=kind,
        context={
            "amount": Money(payout.amount, payout.currency), "destination": str(payout.destination), **words,
        },
        action_url=reverse("payments:transaction", args=[payout.pk]),
    )  # fmt: skip
