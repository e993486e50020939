"""Money of a deposit that goes back to its payer: when we decide it, and when the provider does.

Never more than was captured: `Transaction.refunded` counts under the row's lock, and a constraint bounds it.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import jobs
from marketplace.core.announce import announce
from marketplace.core.money import Minor, Money
from marketplace.ledger import accounts
from marketplace.ledger.accounts import AccountRef
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import lock_available, post
from marketplace.notifications.services import notify
from marketplace.payments import providers
from marketplace.payments.errors import (
    AlreadySpent,
    PaymentMismatch,
    PaymentNotOpen,
    ProviderUnavailable,
    RefundNotPossible,
    RefundRefused,
    RefundTooLarge,
    RefundUnclear,
)
from marketplace.payments.facts import MoneyTakenBack, PaymentContested
from marketplace.payments.models import PaymentAttempt, Refund, Transaction
from marketplace.payments.services import debts, deposits
from marketplace.payments.services.records import record

logger = logging.getLogger("marketplace.payments")

Status = Refund.Status
GIVE_UP_AFTER = timedelta(days=3)
SWEEP_BATCH = 50


def can_refund(payment: Transaction, amount: Minor) -> bool:
    """Whether the payment's provider gives this much back when asked. Reads the method: join it."""
    if payment.payment_method is None or payment.status != Transaction.Status.COMPLETED:
        return False
    try:
        provider = providers.get(payment.payment_method.code)
    except KeyError:
        return False
    is_whole = amount == payment.amount and payment.refunded == 0
    return amount <= payment.amount - payment.refunded and (
        provider.can_refund_part if not is_whole else provider.can_refund
    )


@transaction.atomic
def refund(
    *, transaction_id: UUID, amount: Minor, reason: str, actor: User | None = None, idempotency_key: str
) -> Refund:
    """Give a completed deposit, or a part of it, back to the method it was paid with (minor units).

    The money leaves the wallet now; the provider is asked by a job. Where the provider says no, it is back in the wallet.
    A repeat of the key is the same refund.

    Raises UnknownPayment, PaymentNotOpen (never completed), RefundTooLarge, RefundNotPossible, InsufficientFunds, KeyReused.
    """
    payment = deposits.locked(transaction_id)
    if known := payment.refunds.filter(idempotency_key=idempotency_key).first():
        if known.amount != amount:
            raise KeyReused(f"refund {known.pk}")
        return known
    if payment.status != Transaction.Status.COMPLETED:
        raise PaymentNotOpen(f"{payment.pk} is {payment.status}: nothing to refund")
    if type(amount) is not int or not 0 < amount <= payment.amount - payment.refunded:
        raise RefundTooLarge(f"{amount!r} of {payment.amount - payment.refunded}")
    if not can_refund(payment, amount):
        raise RefundNotPossible(f"{payment.pk}, {amount}")
    row = _written(
        payment,
        amount,
        legs={accounts.available(payment.user_id): -amount, accounts.REFUNDS: amount},
        kind=JournalEntry.Kind.DEPOSIT_REFUND,
        key=idempotency_key,
        reason=reason,
        actor=actor,
    )
    jobs.enqueue("tasks.payments.send_refund", refund_id=str(row.pk))
    _tell(row, payment, "refund_started")
    logger.info("refund %s of %s %s asked for payment %s", row.pk, amount, payment.currency, payment.pk)
    return row


def refund_to_method(
    *, user: User, reference: UUID, purpose: str, amount: Minor, reason: str, key: str
) -> None:
    """What came back into a wallet goes on to the method it was paid with, where that is known and its provider can.

    Run it in the transaction that gave the money back: a job does it afterwards, since the payment's lock comes before
    those of the ledger. What cannot go on stays in the wallet.
    """
    paid = Transaction.objects.filter(
        user=user, reference=reference, purpose=purpose, status=Transaction.Status.COMPLETED
    )
    payment = paid.filter(type=Transaction.Type.DEPOSIT).select_related("payment_method").first()
    if payment is None or not can_refund(payment, min(amount, payment.amount - payment.refunded)):
        return
    jobs.enqueue(
        "tasks.payments.refund_to_method",
        transaction_id=str(payment.pk),
        amount=min(amount, payment.amount - payment.refunded),
        reason=reason[:200],
        idempotency_key=key,
    )


def send(*, refund_id: UUID) -> Refund:
    """Ask the provider for a refund that is on its way. Twice is one refund. Raises ProviderUnavailable.

    Where nobody knows whether it was made and the provider would make it twice, it waits for a person (`error` says so).
    """
    row = Refund.objects.select_related("payment__payment_method").get(pk=refund_id)
    if row.is_unclear:
        return row
    if row.status != Status.INITIATED or row.payment.payment_method is None:
        return row
    provider = providers.get(row.payment.payment_method.code)
    try:
        number = provider.refund(row)
    except RefundRefused as error:
        return fail(refund_id=row.pk, error=str(error))
    except RefundUnclear as error:
        logger.exception("refund %s: nobody knows whether it was made, a person must look", row.pk)
        Refund.objects.filter(pk=row.pk).update(error=f"{Refund.UNCLEAR}: {error}"[:200])
        return row
    except ProviderUnavailable as error:
        if row.created_at > timezone.now() - GIVE_UP_AFTER:
            raise
        # Nobody knows whether the provider did it: money that may be gone is not given back by a machine.
        logger.exception("refund %s got no answer for %s, a person must look", row.pk, GIVE_UP_AFTER)
        Refund.objects.filter(pk=row.pk).update(error=str(error)[:200])
        return row
    return succeed(refund_id=row.pk, provider_refund_id=number)


@transaction.atomic
def succeed(*, refund_id: UUID, provider_refund_id: str = "") -> Refund:
    """The provider has given the money back. Twice is harmless."""
    row, payment = _both(refund_id)
    if row.status != Status.INITIATED:
        return row
    post(
        JournalEntry.Kind.DEPOSIT_REFUND,
        key=f"refund:{row.pk}:sent",
        currency=row.currency,
        legs={accounts.REFUNDS: -row.amount, _clearing(payment): row.amount},
        reference=payment.pk,
    )
    row.status, row.ended_at = Status.SUCCEEDED, timezone.now()
    row.provider_refund_id = provider_refund_id[:128]
    row.save(update_fields=["status", "ended_at", "provider_refund_id", "updated_at"])
    if payment.refunded == payment.amount:
        payment.attempts.filter(state=PaymentAttempt.State.CAPTURED).update(
            state=PaymentAttempt.State.REFUNDED, ended_at=row.ended_at
        )
    _tell(row, payment, "refund_sent")
    return row


@transaction.atomic
def fail(*, refund_id: UUID, error: str) -> Refund:
    """The provider cannot: the money is back in the wallet. Twice is harmless."""
    row, payment = _both(refund_id)
    if row.status != Status.INITIATED:
        return row
    entry = post(
        JournalEntry.Kind.REFUND_RETURN,
        key=f"refund:{row.pk}:return",
        currency=row.currency,
        legs={accounts.REFUNDS: -row.amount, accounts.available(payment.user_id): row.amount},
        reference=payment.pk,
    )
    record(
        user=payment.user,
        type=Transaction.Type.REFUND,
        amount=row.amount,
        currency=row.currency,
        entry=entry,
        reference=payment.pk,
    )
    row.status, row.ended_at, row.error = Status.FAILED, timezone.now(), error[:200]
    row.save(update_fields=["status", "ended_at", "error", "updated_at"])
    payment.refunded -= row.amount
    payment.save(update_fields=["refunded"])
    _tell(row, payment, "refund_failed")
    debts.collect(user_id=payment.user_id, currency=row.currency)
    return row


def note_by_provider(
    payment: Transaction, *, amount: Minor | None, total: Minor | None, refund_id: str
) -> bool:
    """A provider says that it gave back `amount`, or `total` so far, of a locked payment. Returns whether it is news.

    Refunds that we asked for are told back to us too: those are confirmed, not counted again. Raises PaymentMismatch
    for more than was captured.
    """
    if refund_id and payment.refunds.filter(provider_refund_id=refund_id).exists():
        return False
    fresh = (total - payment.refunded) if total is not None else (amount or 0)
    ours = payment.refunds.filter(status=Status.INITIATED, is_by_provider=False)
    if total is None and (asked := ours.filter(amount=fresh).order_by("pk").first()):
        succeed(refund_id=asked.pk, provider_refund_id=refund_id)
        return True
    if total is not None and fresh <= 0:
        for asked in ours:
            succeed(refund_id=asked.pk, provider_refund_id="")
        return False
    if fresh <= 0 or fresh > payment.amount - payment.refunded:
        raise PaymentMismatch(f"{payment.pk}: {fresh} refunded of {payment.amount - payment.refunded}")
    take_back(
        payment,
        amount=fresh,
        key=f"provider:{refund_id or payment.refunded + fresh}",
        reason="",
        may_owe=True,
        refund_id=refund_id,
    )
    return True


def take_back(
    payment: Transaction, *, amount: Minor, key: str, reason: str, may_owe: bool, refund_id: str = ""
) -> Refund:
    """The provider has given the payer of a locked payment their money: it leaves the wallet.

    What the wallet no longer has becomes a debt where it `may_owe`, and AlreadySpent is raised otherwise.
    """
    lacking = max(0, amount - lock_available(payment.user_id, payment.currency))
    if lacking and not may_owe:
        raise AlreadySpent(f"{payment.pk}: {lacking} of {amount} {payment.currency} is spent")
    row = _written(
        payment,
        amount,
        legs={
            accounts.available(payment.user_id): lacking - amount,
            accounts.DEBTS: -lacking,
            _clearing(payment): amount,
        },
        kind=JournalEntry.Kind.CHARGEBACK,
        key=key,
        reason=reason,
        status=Status.SUCCEEDED,
        is_by_provider=True,
        debt=lacking,
        provider_refund_id=refund_id,
    )
    if lacking:
        debts.open_debt(user=payment.user, refund=row, amount=lacking)
    _tell(
        row, payment, "money_owed" if lacking else "money_taken_back", debt=Money(lacking, payment.currency)
    )
    announce(MoneyTakenBack(row.pk, payment.pk, payment.user_id, amount, lacking, payment.currency))
    logger.warning("%s %s of payment %s taken back, %s owed", amount, payment.currency, payment.pk, lacking)
    return row


def contest(payment: Transaction, *, is_over: bool, at: datetime) -> None:
    """Mark a locked payment as contested, or no more: meanwhile its payer's payouts wait."""
    payment.contested_at = None if is_over else at
    payment.save(update_fields=["contested_at"])
    logger.warning("payment %s is %s", payment.pk, "no longer contested" if is_over else "contested")
    if not is_over:
        announce(PaymentContested(payment.pk, payment.user_id))


def sweep_refunds(*, at: datetime) -> int:
    """Ask again for refunds that are on their way for an hour and longer. Returns how many are over."""
    done = 0
    waiting = Refund.objects.filter(status=Status.INITIATED, created_at__lt=at - timedelta(hours=1)).exclude(
        error__startswith=Refund.UNCLEAR
    )
    for row in waiting.order_by("created_at")[:SWEEP_BATCH]:
        try:
            done += send(refund_id=row.pk).status != Status.INITIATED
        except ProviderUnavailable as error:
            logger.warning("refund %s: %s", row.pk, error)
    return done


def _written(
    payment: Transaction,
    amount: Minor,
    *,
    legs: dict[AccountRef, Minor],
    kind: str,
    key: str,
    reason: str,
    status: str = Status.INITIATED,
    actor: User | None = None,
    is_by_provider: bool = False,
    debt: Minor = 0,
    provider_refund_id: str = "",
) -> Refund:
    """The entry, the refund's row, the line of the history and the payment's count, together."""
    entry = post(
        kind,
        key=f"payment:{payment.pk}:refund:{key}",
        currency=payment.currency,
        legs=legs,
        reference=payment.pk,
    )
    row = Refund.objects.create(
        payment=payment,
        amount=amount,
        currency=payment.currency,
        status=status,
        reason=reason[:200],
        actor=actor,
        is_by_provider=is_by_provider,
        debt=debt,
        provider_refund_id=provider_refund_id[:128],
        journal_entry=entry,
        idempotency_key=key[:100],
        ended_at=timezone.now() if status != Status.INITIATED else None,
    )
    if amount > debt:
        record(
            user=payment.user,
            type=Transaction.Type.CHARGEBACK,
            amount=amount - debt,
            currency=payment.currency,
            entry=entry,
            reference=payment.pk,
            description=payment.payment_method.name if payment.payment_method else "",
        )
    payment.refunded += amount
    payment.save(update_fields=["refunded"])
    return row


def _both(refund_id: UUID) -> tuple[Refund, Transaction]:
    """A refund and its payment, under the payment's lock."""
    payment = deposits.locked(Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id))
    return Refund.objects.get(pk=refund_id), payment


def _clearing(payment: Transaction) -> AccountRef:
    return accounts.clearing(payment.payment_method.code if payment.payment_method else "")


def _tell(row: Refund, payment: Transaction, kind: str, **words: Money) -> None:
    notify(
        user=payment.user,
        kind=kind,
        context={
            "amount": Money(row.amount, row.currency),
            "method": payment.payment_method.name if payment.payment_method else "",
            **words,
        },
        action_url=reverse("payments:transaction", args=[payment.pk]),
    )
