"""Money that goes out to a person's card or account.

It leaves the wallet at once and stands on the house's payouts account until somebody has sent it, or it comes back.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import second_factor, trail
from marketplace.accounts.models import User
from marketplace.accounts.selectors import payout_lock_of
from marketplace.accounts.trail import Kind
from marketplace.core import dates, jobs
from marketplace.core.announce import announce
from marketplace.core.money import MAX_MINOR, Minor, Money
from marketplace.ledger import accounts
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import lock_available, post
from marketplace.notifications.services import notify
from marketplace.payments import cards
from marketplace.payments.errors import (
    AmountOutOfRange,
    CardTooNew,
    DailyLimit,
    NotApproved,
    OwnPayout,
    PaymentNotOpen,
    PayoutsFrozen,
    PayoutsLocked,
    SecondFactorNeeded,
    UnknownPayment,
)
from marketplace.payments.facts import WithdrawalCompleted, WithdrawalFailed, WithdrawalRequested
from marketplace.payments.models import PayoutCard, PayoutDecision, PayoutDestination, Transaction
from marketplace.payments.services import debts, receipt_mail

logger = logging.getLogger("marketplace.payments")

Status = Transaction.Status
Action = PayoutDecision.Action
# The clearing account of the bank that sends payouts.
BANK = "payout"


def withdraw(
    *,
    user: User,
    amount: Minor,
    card_number: str,
    bank_code: str = "",
    idempotency_key: str,
    currency: str = "UZS",
) -> Transaction:
    """Ask for a payout to a card or an account: the money leaves the wallet now. Returns the pending transaction.

    `amount` in minor units. A repeat of the key gives the same transaction and moves nothing. The number is kept
    encrypted; only its last four signs are ever shown. A card that is not the person's first is saved, and can be used
    after a pause.

    Raises AmountOutOfRange, DailyLimit, BadCard, BankCodeNeeded, CardTooNew, InsufficientFunds, KeyReused, PayoutsFrozen,
    PayoutsLocked, SecondFactorNeeded.
    """
    limits = settings.WITHDRAWAL_LIMITS.get(currency)
    if type(amount) is not int or not limits or not limits[0] <= amount <= min(limits[1], MAX_MINOR):
        raise AmountOutOfRange(f"withdrawal of {amount!r} {currency}")
    card = cards.read(card_number, bank_code)
    try:
        return _request(user, amount, card, idempotency_key, currency)
    except CardTooNew:
        # Nothing was taken, but the pause begins: the refusal says when it ends.
        save_card(user=user, card_number=card_number, bank_code=bank_code)
        raise


@transaction.atomic
def _request(user: User, amount: Minor, card: cards.Card, idempotency_key: str, currency: str) -> Transaction:
    payout, made = Transaction.objects.get_or_create(
        user=user,
        idempotency_key=idempotency_key,
        defaults={"amount": amount, "currency": currency, "type": Transaction.Type.WITHDRAWAL},
    )
    if not made:
        return _same(payout, amount, currency, card)
    if Transaction.objects.filter(user=user, contested_at__isnull=False).exists():
        raise PayoutsFrozen(str(user.pk))
    _check_lock(user)
    lock_available(user.pk, currency)
    at = timezone.now()  # under the lock: a card that the request before has saved is older than this moment
    saved = _saved(user, card, at)
    if saved.usable_from > at:
        with timezone.override(user.zone):
            raise CardTooNew(dates.day_and_time(timezone.localtime(saved.usable_from)))
    debts.collect(user_id=user.pk, currency=currency)
    _check_day(user, payout, at)
    PayoutDestination.objects.create(
        transaction=payout,
        card_number=card.number,
        bank_code=card.bank_code,
        last_four=card.last_four,
        network=card.network or saved.get_kind_display(),
        due_at=at + timedelta(hours=settings.PAYOUT_HOURS[user.plan]),
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
    jobs.enqueue("tasks.payments.process_withdrawal", transaction_id=str(payout.pk))
    announce(WithdrawalRequested(payout.pk, user.pk))
    return payout


def _check_lock(user: User) -> None:
    lock = payout_lock_of(user.pk, at=timezone.now())
    if lock is not None:
        with timezone.override(user.zone):
            raise PayoutsLocked(dates.day_and_time(timezone.localtime(lock.ends_at)) if lock.ends_at else "")


def _same(payout: Transaction, amount: Minor, currency: str, card: cards.Card) -> Transaction:
    same = (payout.type, payout.amount, payout.currency) == (Transaction.Type.WITHDRAWAL, amount, currency)
    if not same or payout.destination.card_number != card.number:
        raise KeyReused(f"withdrawal {payout.pk}")
    return payout


def _check_day(user: User, payout: Transaction, at: datetime) -> None:
    """The sum of a day is bounded, and from some sum on only for people with a second factor.

    Under the lock of the person's money, so that two requests see each other.
    """
    asked = Transaction.objects.filter(
        user=user,
        type=Transaction.Type.WITHDRAWAL,
        currency=payout.currency,
        created_at__gt=at - timedelta(days=1),
    ).exclude(status__in=[Status.FAILED, Status.CANCELLED])
    others = asked.exclude(pk=payout.pk).aggregate(total=Sum("amount"))["total"] or 0
    left = settings.WITHDRAWAL_DAILY[payout.currency] - others
    if payout.amount > left:
        raise DailyLimit(str(Money(max(left, 0), payout.currency)))
    is_much = others + payout.amount >= settings.PAYOUT_SECOND_FACTOR_FROM[payout.currency]
    if is_much and not second_factor.is_required(user):
        raise SecondFactorNeeded(f"{payout.amount} after {others} {payout.currency}")


@transaction.atomic
def save_card(*, user: User, card_number: str, bank_code: str = "") -> PayoutCard:
    """Keep a payout card. The person's first can be used at once, every other after a pause; they are told of it.

    Raises BadCard, BankCodeNeeded.
    """
    card = cards.read(card_number, bank_code)
    lock_available(user.pk, "UZS")  # two new cards at once: one of them is the first
    return _saved(user, card, timezone.now())


def _saved(user: User, card: cards.Card, at: datetime) -> PayoutCard:
    known = PayoutCard.objects.filter(user=user, fingerprint=card.fingerprint).first()
    if known is not None and known.removed_at is None:
        return known
    is_first = not PayoutCard.objects.filter(user=user).exists()
    pause = timedelta(0) if is_first else timedelta(hours=settings.PAYOUT_CARD_COOLDOWN_HOURS)
    if known is not None:  # taken away and named again: the pause counts anew
        known.removed_at, known.usable_from = None, at + pause
        known.save(update_fields=["removed_at", "usable_from"])
        return known
    saved = PayoutCard.objects.create(
        user=user,
        kind=card.kind,
        number=card.number,
        bank_code=card.bank_code,
        fingerprint=card.fingerprint,
        last_four=card.last_four,
        network=card.network,
        created_at=at,
        usable_from=at + pause,
    )
    if not is_first:
        notify(
            user=user,
            kind="payout_card_added",
            context={"card": str(saved), "time": saved.usable_from},
            action_url=reverse("payments:withdraw"),
        )
    return saved


@transaction.atomic
def remove_card(*, user: User, card_id: UUID) -> None:
    """Forget a payout card. Payouts that are on their way to it go on."""
    PayoutCard.objects.filter(user=user, pk=card_id, removed_at__isnull=True).update(
        removed_at=timezone.now()
    )


def approvals_needed(payout: Transaction) -> int:
    """Two people above the threshold of the currency, one below."""
    return 2 if payout.amount >= settings.PAYOUT_TWO_PERSON_FROM[payout.currency] else 1


@transaction.atomic
def approve_withdrawal(*, transaction_id: UUID, actor: User) -> Transaction:
    """Somebody of the staff finds it in order. Twice by the same person counts once.

    Raises UnknownPayment, PaymentNotOpen, OwnPayout, PayoutsLocked.
    """
    payout = _decided_by(transaction_id, actor)
    if not payout.is_open:
        raise PaymentNotOpen(f"{payout.pk} is {payout.status}")
    _check_lock(payout.user)
    PayoutDecision.objects.get_or_create(payout=payout, actor=actor, action=Action.APPROVE)
    if payout.status == Status.PENDING and _approvals(payout) >= approvals_needed(payout):
        payout.status = Status.PROCESSING
        payout.save(update_fields=["status"])
    logger.info("withdrawal %s approved by %s", payout.pk, actor.pk)
    return payout


@transaction.atomic
def show_number(*, transaction_id: UUID, actor: User) -> str:
    """The whole number of an open payout's card, for whoever sends it. Each look is recorded.

    Raises UnknownPayment, PaymentNotOpen, OwnPayout.
    """
    payout = _decided_by(transaction_id, actor)
    if not payout.is_open:
        raise PaymentNotOpen(f"{payout.pk} is {payout.status}")
    PayoutDecision.objects.create(payout=payout, actor=actor, action=Action.SHOW)
    trail.record(Kind.CARD_NUMBER_SHOWN, user=payout.user_id, actor=actor, about=payout)
    return payout.destination.card_number


@transaction.atomic
def complete_withdrawal(*, transaction_id: UUID, actor: User, provider_id: str = "") -> Transaction:
    """The bank has sent it. Twice is harmless.

    Raises UnknownPayment, OwnPayout, NotApproved, PayoutsLocked, PaymentNotOpen when it has failed before.
    """
    payout = _decided_by(transaction_id, actor)
    if payout.status == Status.COMPLETED:
        return payout
    if not payout.is_open:
        raise PaymentNotOpen(f"{payout.pk} is {payout.status}")
    if _approvals(payout) < approvals_needed(payout):
        raise NotApproved(str(payout.pk))
    _check_lock(payout.user)  # whoever has sent it all the same notes so once the lock is lifted
    post(
        JournalEntry.Kind.PAYOUT,
        key=f"withdrawal:{payout.pk}:sent",
        currency=payout.currency,
        legs={accounts.PAYOUTS: -payout.amount, accounts.clearing(BANK): payout.amount},
        reference=payout.pk,
    )
    payout.status, payout.processed_at = Status.COMPLETED, timezone.now()
    payout.provider_transaction_id = provider_id[:128]
    payout.save(update_fields=["status", "processed_at", "provider_transaction_id"])
    PayoutDecision.objects.create(payout=payout, actor=actor, action=Action.SEND, note=provider_id[:200])
    logger.info("withdrawal %s sent by %s", payout.pk, actor.pk)
    _tell(payout, "withdrawal_completed")
    receipt_mail.queue_receipt(payout)
    announce(WithdrawalCompleted(payout.pk, payout.user_id))
    return payout


@transaction.atomic
def fail_withdrawal(*, transaction_id: UUID, actor: User, reason: str) -> Transaction:
    """The bank could not send it: the money is back in the wallet. Twice is harmless.

    Raises UnknownPayment, OwnPayout, PaymentNotOpen when it was sent before.
    """
    payout = _decided_by(transaction_id, actor)
    if payout.status == Status.FAILED:
        return payout
    if not payout.is_open:
        raise PaymentNotOpen(f"{payout.pk} is {payout.status}")
    entry = post(
        JournalEntry.Kind.PAYOUT_RETURN,
        key=f"withdrawal:{payout.pk}:return",
        currency=payout.currency,
        legs={accounts.PAYOUTS: -payout.amount, accounts.available(payout.user_id): payout.amount},
        reference=payout.pk,
    )
    # The very moment of the entry: the history's lines stand in the order of their entries.
    payout.status, payout.failed_at, payout.reason = Status.FAILED, entry.created_at, reason[:200]
    payout.save(update_fields=["status", "failed_at", "reason"])
    PayoutDecision.objects.create(payout=payout, actor=actor, action=Action.FAIL, note=payout.reason)
    logger.info("withdrawal %s failed by %s: %s", payout.pk, actor.pk, reason)
    _tell(payout, "withdrawal_failed", reason=payout.reason)
    announce(WithdrawalFailed(payout.pk, payout.user_id))
    debts.collect(user_id=payout.user_id, currency=payout.currency)
    return payout


def tell_desk(*, transaction_id: UUID, staff: list[User]) -> None:
    """A payout waits: everybody of the payout desk is told."""
    payout = Transaction.objects.select_related("user", "destination").filter(pk=transaction_id).first()
    if payout is None or not payout.is_open:
        return
    for member in staff:
        notify(
            user=member,
            kind="payout_waiting",
            context={
                "amount": Money(payout.amount, payout.currency),
                "person": payout.user.display_name,
                "time": payout.destination.due_at,
            },
            action_url=reverse("payments:desk-payout", args=[payout.pk]),
        )


def _approvals(payout: Transaction) -> int:
    return payout.decisions.filter(action=Action.APPROVE).count()


def _decided_by(transaction_id: UUID, actor: User) -> Transaction:
    """The payout, locked. Raises UnknownPayment, and OwnPayout for whoever would decide about their own money."""
    found = Transaction.objects.select_for_update(of=("self",)).select_related("user", "destination")
    payout = found.filter(pk=transaction_id, type=Transaction.Type.WITHDRAWAL).first()
    if payout is None:
        raise UnknownPayment(str(transaction_id))
    if payout.user_id == actor.pk:
        raise OwnPayout(str(payout.pk))
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
