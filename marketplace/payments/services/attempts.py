"""What providers ask of a payment, try by try. Every change happens under the lock of the payment's row.

Refusals leave everything as it was. What a protocol answers to a repeat is the adapter's business: here a repeat is the
same outcome, marked as such.
"""

import logging
from datetime import datetime
from functools import singledispatch
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.core import jobs
from marketplace.core.prepared import Prepared, Slot
from marketplace.core.transactions import joins_transaction
from marketplace.payments.errors import (
    AlreadyPaid,
    AttemptBusy,
    AttemptExpired,
    NotPaidYet,
    PaymentMismatch,
    PaymentNotOpen,
    UnknownAttempt,
    UnknownPayment,
    WrongAmount,
)
from marketplace.payments.models import PaymentAttempt, Transaction
from marketplace.payments.providers.base import (
    Ask,
    Authorize,
    Cancel,
    Check,
    Command,
    Contest,
    Find,
    Note,
    Outcome,
    Refund,
    Settle,
    Statement,
)
from marketplace.payments.services import deposits, refunds

logger = logging.getLogger("marketplace.payments")

Status = Transaction.Status
State = PaymentAttempt.State
_attempts = Prepared(
    lambda: PaymentAttempt.objects.filter(provider=Slot("provider"), provider_id=Slot("provider_id"))
)

# Payme's code for a cancellation by time; kept for every provider's tries that nobody finished.
TIMED_OUT = 4
MOST_OF_A_STATEMENT = 10_000


@singledispatch
def act(command: Command, provider: str) -> Outcome:
    """Do what a provider asks, or raise a DomainError and change nothing."""
    raise TypeError(f"{provider}: {command!r}")


@act.register
def check(command: Check, provider: str) -> Outcome:
    """Raises UnknownPayment, AlreadyPaid, PaymentNotOpen, WrongAmount."""
    payment = _found(command.reference, provider)
    known = _attempt(provider, command.provider_id) if command.provider_id else None
    if known is not None and known.payment_id == payment.pk and known.state == State.CAPTURED:
        _must_match(payment, payment.amount if command.amount is None else command.amount, command.currency)
        return Outcome(payment, known, is_repeat=True)
    if command.amount is not None:
        _must_match(payment, command.amount, command.currency)
    _must_be_payable(payment)
    return Outcome(payment=payment)


@act.register
@joins_transaction
def ask(command: Ask, provider: str) -> Outcome:
    """Raises UnknownPayment."""
    payment = _found(command.reference, provider)
    if payment.is_open:
        jobs.enqueue("tasks.payments.process_deposit", delay=command.after, transaction_id=str(payment.pk))
    return Outcome(payment)


@act.register
@joins_transaction
def authorize(command: Authorize, provider: str) -> Outcome:
    """Open a try. The same number again is the same try; one that has outlived its time is cancelled instead.

    Raises UnknownPayment, WrongAmount, AlreadyPaid, PaymentNotOpen, AttemptBusy, AttemptExpired, PaymentMismatch.
    """
    at = timezone.now()
    payment = deposits.locked(command.reference, provider=provider)
    known = _attempt(provider, command.provider_id)
    if known is not None:
        if known.payment_id != payment.pk:
            raise PaymentMismatch(f"{command.provider_id} at {provider} belongs to another payment")
        _must_match(payment, command.amount, command.currency)
        return Outcome(payment, _expired(payment, known, at), is_repeat=True)
    _must_match(payment, command.amount, command.currency)
    _must_be_payable(payment)
    expires_at = (command.time or at) + command.lifetime if command.lifetime else None
    if expires_at and expires_at <= at:
        raise AttemptExpired(f"{command.provider_id} at {provider} is of {command.time}")
    if command.is_exclusive and _is_busy(payment, at):
        raise AttemptBusy(f"{payment.pk} has an open try")
    attempt = PaymentAttempt.objects.create(
        payment=payment,
        provider=provider,
        provider_id=command.provider_id,
        amount=payment.amount,
        currency=payment.currency,
        provider_time=command.time or at,
        opened_at=at,
        expires_at=expires_at,
        details=command.details,
    )
    if payment.status == Status.PENDING:
        payment.status = Status.PROCESSING
        payment.save(update_fields=["status"])
    return Outcome(payment, attempt)


@act.register
@joins_transaction
def settle(command: Settle, provider: str) -> Outcome:
    """Credit the payer's wallet, once.

    A try that has ended is returned as it is: the adapter says no. One that has outlived its time is cancelled first.

    Raises UnknownAttempt, UnknownPayment, WrongAmount, AlreadyPaid, PaymentNotOpen, PaymentMismatch.
    """
    at = timezone.now()
    payment, attempt = _both(command.reference, provider, command.provider_id, command.attempt_id)
    if command.amount is not None:
        _must_match(payment, command.amount, command.currency)
    if attempt is not None:
        attempt = _expired(payment, attempt, at)
        if attempt.state != State.OPEN:
            return Outcome(payment, attempt, is_repeat=True)
    if payment.status == Status.COMPLETED:
        raise AlreadyPaid(f"{payment.pk} was paid by {payment.provider_transaction_id}")
    if not payment.is_open and not command.is_taken:
        raise PaymentNotOpen(f"{payment.pk} is {payment.status} and was paid nevertheless")
    if attempt is None:
        attempt = PaymentAttempt(
            payment=payment,
            provider=provider,
            provider_id=command.provider_id,
            amount=payment.amount,
            currency=payment.currency,
            provider_time=command.time or at,
            opened_at=at,
        )
    attempt.state, attempt.captured_at = State.CAPTURED, at
    attempt.details = {**attempt.details, **command.details}
    attempt.save()
    deposits.credit(payment, provider_id=attempt.provider_id, at=at)
    return Outcome(payment, attempt)


@act.register
@joins_transaction
def cancel(command: Cancel, provider: str) -> Outcome:
    """End a try before it was settled, and its payment where the command `closes` it.

    Raises UnknownAttempt, UnknownPayment, PaymentMismatch, and AlreadySpent for money that cannot be taken back.
    """
    at = timezone.now()
    payment, attempt = _both(
        command.reference, provider, command.provider_id, command.attempt_id, for_whole=command.closes
    )
    if attempt is not None and attempt.state in {State.CANCELLED, State.REFUNDED}:
        return Outcome(payment, attempt, is_repeat=True)
    if attempt is not None and attempt.state == State.CAPTURED:
        if not command.takes_back:
            raise AlreadyPaid(f"{payment.pk} is paid, a cancellation came too late")
        refunds.take_back(
            payment,
            amount=payment.amount - payment.refunded,
            key=f"attempt:{attempt.pk}",
            reason=command.reason,
            may_owe=False,
        )
        _end(attempt, State.REFUNDED, at, command.code)
        return Outcome(payment, attempt)
    if attempt is None and payment.status == Status.COMPLETED:
        raise AlreadyPaid(f"{payment.pk} is completed, a cancellation came too late")
    if attempt is not None:
        _end(attempt, State.CANCELLED, at, command.code)
    if command.closes:
        deposits.close(
            payment, Status.FAILED if command.declined else Status.CANCELLED, reason=command.reason, at=at
        )
    else:
        _wait_again(payment)
    return Outcome(payment, attempt)


@act.register
@joins_transaction
def refund(command: Refund, provider: str) -> Outcome:
    """The payer has their money back: take it from the wallet, and let them owe what is no longer there.

    Raises UnknownAttempt, UnknownPayment, NotPaidYet, WrongAmount, PaymentMismatch (more than was captured).
    """
    payment, attempt = _both(command.reference, provider, command.provider_id)
    if payment.status != Status.COMPLETED and command.captured is not None:
        # A refund that overtook the word of its payment.
        paid = Settle(payment.pk, command.provider_id, command.captured, command.currency, is_taken=True)
        settle(paid, provider)
        payment, attempt = _both(command.reference, provider, command.provider_id)
    attempt = attempt or payment.attempts.filter(state=State.CAPTURED).first()
    if payment.status != Status.COMPLETED:
        raise NotPaidYet(f"{payment.pk} is {payment.status}: nothing to refund")
    if command.currency != payment.currency:
        raise PaymentMismatch(f"{payment.pk} is {payment.status}: no {command.currency} to refund")
    done = refunds.note_by_provider(
        payment, amount=command.amount, total=command.total, refund_id=command.refund_id
    )
    if attempt is not None and attempt.state == State.CAPTURED and payment.refunded == payment.amount:
        _end(attempt, State.REFUNDED, timezone.now(), None)
    return Outcome(payment, attempt, is_repeat=not done)


@act.register
@joins_transaction
def contest(command: Contest, provider: str) -> Outcome:
    """Freeze the payouts of a payer whose card's holder contests a payment, until it is decided.

    Raises UnknownAttempt, UnknownPayment.
    """
    payment, attempt = _both(command.reference, provider, command.provider_id)
    is_repeat = (payment.contested_at is None) == command.is_over
    if not is_repeat:
        refunds.contest(payment, is_over=command.is_over, at=timezone.now())
    return Outcome(payment, attempt, is_repeat=is_repeat)


@act.register
def find(command: Find, provider: str) -> Outcome:
    """Raises UnknownAttempt."""
    found = PaymentAttempt.objects.filter(provider=provider, provider_id=command.provider_id)
    attempt = next(iter(found.select_related("payment")), None)
    if attempt is None:
        raise UnknownAttempt(f"{command.provider_id} at {provider}")
    return Outcome(attempt.payment, attempt)


@act.register
@joins_transaction
def note(command: Note, provider: str) -> Outcome:
    """Raises UnknownAttempt."""
    payment, attempt = _both(None, provider, command.provider_id)
    if attempt is None:
        raise UnknownAttempt(f"{command.provider_id} at {provider}")
    attempt.details |= command.details
    attempt.save(update_fields=["details"])
    return Outcome(payment, attempt)


@act.register
def statement(command: Statement, provider: str) -> Outcome:
    """All tries of a provider by its own clock, oldest first."""
    found = PaymentAttempt.objects.filter(
        provider=provider, provider_time__gte=command.since, provider_time__lte=command.until
    )
    return Outcome(
        attempts=tuple(found.select_related("payment").order_by("provider_time", "pk")[:MOST_OF_A_STATEMENT])
    )


def expire(*, at: datetime, most: int) -> int:
    """Cancel tries that have outlived the time their protocol gives them. Returns how many."""
    due = PaymentAttempt.objects.filter(state=State.OPEN, expires_at__lte=at)
    ended = 0
    for attempt in due.order_by("expires_at")[:most]:
        with transaction.atomic():
            payment = deposits.locked(attempt.payment_id)
            fresh = PaymentAttempt.objects.get(pk=attempt.pk)
            ended += _expired(payment, fresh, at).state == State.CANCELLED
    return ended


def _found(reference: UUID, provider: str) -> Transaction:
    """A deposit that belongs to this provider, not locked."""
    payment = (
        Transaction.objects.filter(pk=reference, type=Transaction.Type.DEPOSIT, payment_method__code=provider)
        .select_related("payment_method", "user")
        .first()
    )
    if payment is None:
        raise UnknownPayment(f"{reference} at {provider}")
    return payment


def _attempt(provider: str, provider_id: str) -> PaymentAttempt | None:
    return next(iter(_attempts(provider=provider, provider_id=provider_id)), None)


def _both(
    reference: UUID | None,
    provider: str,
    provider_id: str,
    attempt_id: int | None = None,
    *,
    for_whole: bool = True,
) -> tuple[Transaction, PaymentAttempt | None]:
    """The payment, locked, and the try as it stands under that lock; None for a try that nobody has opened yet."""
    if reference is None:
        known = _attempt(provider, provider_id)
        if known is None:
            raise UnknownAttempt(f"{provider_id} at {provider}")
        reference = known.payment_id
    payment = deposits.locked(reference, provider=provider)
    if attempt_id is not None:
        named = PaymentAttempt.objects.filter(
            pk=attempt_id, payment=payment, provider=provider, provider_id=provider_id
        )
        attempt = named.first()
        if attempt is None:
            raise UnknownAttempt(f"{attempt_id} of {payment.pk} at {provider}")
        return payment, attempt
    # Read under the lock: what stood there before it may have changed while this call waited.
    attempt = _attempt(provider, provider_id)
    if attempt is None and not for_whole:
        raise UnknownAttempt(f"{provider_id} at {provider}")
    if attempt is not None and attempt.payment_id != payment.pk:
        raise PaymentMismatch(f"{provider_id} at {provider} belongs to another payment than {payment.pk}")
    return payment, attempt


def _must_be_payable(payment: Transaction) -> None:
    if payment.status == Status.COMPLETED:
        raise AlreadyPaid(str(payment.pk))
    if not payment.is_open:
        raise PaymentNotOpen(f"{payment.pk} is {payment.status}")


def _must_match(payment: Transaction, amount: int, currency: str) -> None:
    """Of what is wrong with a payment the providers want to hear in this order: paid, another amount, given up."""
    if (payment.amount, payment.currency) != (amount, currency):
        if payment.status == Status.COMPLETED:
            raise AlreadyPaid(str(payment.pk))
        raise WrongAmount(f"{payment.pk}: {amount} {currency} instead of {payment.amount} {payment.currency}")


def _is_busy(payment: Transaction, at: datetime) -> bool:
    """Whether a try is open that still has time; those that have none are cancelled on the way."""
    open_ones = [_expired(payment, attempt, at) for attempt in payment.attempts.filter(state=State.OPEN)]
    return any(attempt.state == State.OPEN for attempt in open_ones)


def _expired(payment: Transaction, attempt: PaymentAttempt, at: datetime) -> PaymentAttempt:
    if attempt.is_expired(at):
        _end(attempt, State.CANCELLED, at, TIMED_OUT)
        _wait_again(payment)
    return attempt


def _end(attempt: PaymentAttempt, state: str, at: datetime, code: int | None) -> None:
    attempt.state, attempt.ended_at, attempt.reason = state, at, code
    attempt.save(update_fields=["state", "ended_at", "reason"])


def _wait_again(payment: Transaction) -> None:
    """No try is open any more: the payment may be tried anew."""
    if payment.status == Status.PROCESSING and not payment.attempts.filter(state=State.OPEN).exists():
        payment.status = Status.PENDING
        payment.save(update_fields=["status"])
