"""Money that comes in through a provider."""

import logging
from datetime import datetime, timedelta
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.errors import DomainError
from marketplace.core.money import MAX_MINOR, Minor, Money
from marketplace.ledger import accounts
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.notifications.services import notify
from marketplace.payments import providers, purposes, selectors
from marketplace.payments.errors import (
    AmountOutOfRange,
    MethodNotAvailable,
    PaymentMismatch,
    ProviderUnavailable,
    UnknownPayment,
)
from marketplace.payments.facts import DepositFailed, DepositSettled
from marketplace.payments.models import PaymentMethod, Transaction
from marketplace.payments.providers.base import Authorize, Cancel, Command, Refund, Settle

logger = logging.getLogger("marketplace.payments")

Status = Transaction.Status

# A payment that nobody has paid is asked about after the first wait, and given up after the second.
ASK_AFTER = timedelta(minutes=3)
GIVE_UP_AFTER = timedelta(hours=24)
SWEEP_BATCH = 100


def start_payment(
    *,
    user: User,
    amount: Minor,
    currency: str = "UZS",
    method_code: str,
    purpose: str = purposes.DEPOSIT,
    reference: UUID | None = None,
    idempotency_key: str,
    return_url: str = "",
    description: str = "",
) -> Transaction:
    """Open a payment at a provider. The answer is pending; its `payment_url` is where the payer goes on.

    `amount` in minor units. A repeat of the key gives the same transaction. The provider is called outside of any
    transaction of ours; when it does not answer, a repeat of the key tries again. `return_url` is an address of ours;
    empty means the transaction's own result page.

    Raises MethodNotAvailable, AmountOutOfRange, KeyReused, ProviderUnavailable.
    """
    purposes.get(purpose)
    method = selectors.active_methods(currency).filter(code=method_code).first()
    if method is None:
        raise MethodNotAvailable(f"{method_code} in {currency}")
    _check_amount(amount, method)
    payment = _opened(
        user=user,
        amount=amount,
        currency=currency,
        method=method,
        purpose=purpose,
        reference=reference,
        idempotency_key=idempotency_key,
        description=description,
    )
    if payment.metadata.get("payment_url") or not payment.is_open:
        return payment
    back = urljoin(settings.SITE_URL + "/", return_url or reverse("payments:return", args=[payment.pk]))
    redirect = providers.get(method.code).create_payment(payment, back)
    payment.metadata["payment_url"] = redirect.url
    payment.provider_transaction_id = redirect.provider_id
    payment.save(update_fields=["metadata", "provider_transaction_id"])
    logger.info("payment %s opened: %s %s at %s for %s", payment.pk, amount, currency, method.code, purpose)
    return payment


def _check_amount(amount: Minor, method: PaymentMethod) -> None:
    if type(amount) is not int or not 0 < amount <= MAX_MINOR:
        raise AmountOutOfRange(repr(amount))
    if not method.min_amount <= amount <= method.max_amount:
        raise AmountOutOfRange(f"{amount} at {method.code}")


def _opened(
    *,
    user: User,
    amount: Minor,
    currency: str,
    method: PaymentMethod,
    purpose: str,
    reference: UUID | None,
    idempotency_key: str,
    description: str,
) -> Transaction:
    """The row of this key, made if it is new."""
    wanted = {
        "amount": amount,
        "currency": currency,
        "payment_method_id": method.pk,
        "purpose": purpose,
        "reference": reference,
    }
    payment, made = Transaction.objects.get_or_create(
        user=user,
        idempotency_key=idempotency_key,
        defaults={**wanted, "type": Transaction.Type.DEPOSIT, "description": description[:200]},
    )
    if not made and any(getattr(payment, name) != value for name, value in wanted.items()):
        raise KeyReused(f"payment {payment.pk}")
    return payment


@transaction.atomic
def settle(
    *, transaction_id: UUID, provider: str, provider_id: str, amount: Minor, currency: str
) -> Transaction:
    """The provider has the money: credit the person's wallet, once, and let the payment's purpose act.

    Settling twice credits once. Raises UnknownPayment; PaymentMismatch when the provider, its id, the amount or the
    currency differ from ours, or when the payment was closed as failed or cancelled: then nothing is credited.
    """
    payment = _locked(transaction_id, provider=provider, provider_id=provider_id)
    if (payment.amount, payment.currency) != (amount, currency):
        raise PaymentMismatch(
            f"{payment.pk}: {amount} {currency} instead of {payment.amount} {payment.currency}"
        )
    if payment.status == Status.COMPLETED:
        return payment
    if not payment.is_open:
        raise PaymentMismatch(f"{payment.pk} is {payment.status} and was paid nevertheless")
    _credit(payment, provider=provider, provider_id=provider_id)
    return payment


def _credit(payment: Transaction, *, provider: str, provider_id: str) -> None:
    purpose = purposes.get(payment.purpose)
    purpose.lock(payment)
    payment.journal_entry = post(
        JournalEntry.Kind.DEPOSIT,
        key=f"payment:{payment.pk}:settle",
        currency=payment.currency,
        legs={
            accounts.clearing(provider): -payment.amount,
            accounts.available(payment.user_id): payment.amount,
        },
        reference=payment.pk,
    )
    payment.status, payment.processed_at = Status.COMPLETED, timezone.now()
    payment.provider_transaction_id = provider_id or payment.provider_transaction_id
    payment.save(update_fields=["journal_entry", "status", "processed_at", "provider_transaction_id"])
    logger.info("payment %s settled: %s %s by %s", payment.pk, payment.amount, payment.currency, provider)
    _tell(payment, "deposit_completed")
    announce(DepositSettled(payment.pk, payment.user_id, payment.amount, payment.currency))
    try:
        with transaction.atomic():
            purpose.settle(payment)
    except DomainError as error:
        # The money did arrive: it stays in the wallet, whatever the purpose says.
        logger.warning(
            "payment %s: %s could not use it (%s: %s)", payment.pk, payment.purpose, error.code, error
        )


@transaction.atomic
def fail(*, transaction_id: UUID, provider: str = "", provider_id: str = "", reason: str = "") -> Transaction:
    """The provider has declined the payment. Twice is harmless; raises PaymentMismatch when it was completed."""
    return _close(transaction_id, Status.FAILED, provider=provider, provider_id=provider_id, reason=reason)


@transaction.atomic
def cancel(
    *, transaction_id: UUID, provider: str = "", provider_id: str = "", reason: str = ""
) -> Transaction:
    """The payer gave up, or nobody came. Twice is harmless; raises PaymentMismatch when it was completed."""
    return _close(transaction_id, Status.CANCELLED, provider=provider, provider_id=provider_id, reason=reason)


def _close(
    transaction_id: UUID, status: Status, *, provider: str, provider_id: str, reason: str
) -> Transaction:
    payment = _locked(transaction_id, provider=provider, provider_id=provider_id)
    if payment.status == Status.COMPLETED:
        raise PaymentMismatch(f"{payment.pk} is completed, {status} came too late")
    if not payment.is_open:
        return payment
    payment.status, payment.failed_at, payment.reason = status, timezone.now(), reason[:200]
    payment.save(update_fields=["status", "failed_at", "reason"])
    logger.info("payment %s %s: %s", payment.pk, status, reason)
    if status == Status.FAILED:
        _tell(payment, "deposit_failed")
        announce(DepositFailed(payment.pk, payment.user_id))
    return payment


def _locked(transaction_id: UUID, *, provider: str, provider_id: str) -> Transaction:
    found = Transaction.objects.select_for_update(of=("self",)).select_related("payment_method", "user")
    payment = found.filter(pk=transaction_id, type=Transaction.Type.DEPOSIT).first()
    if payment is None or (
        provider and (payment.payment_method is None or payment.payment_method.code != provider)
    ):
        raise UnknownPayment(f"{transaction_id} at {provider}")
    known = payment.provider_transaction_id
    if provider_id and known and known != provider_id:
        raise PaymentMismatch(f"{payment.pk} is {known} at {provider}, not {provider_id}")
    if provider_id and not known and _is_taken(payment, provider_id):
        raise PaymentMismatch(f"{provider_id} at {provider} has paid for another payment than {payment.pk}")
    return payment


def _is_taken(payment: Transaction, provider_id: str) -> bool:
    others = Transaction.objects.filter(
        payment_method_id=payment.payment_method_id, provider_transaction_id=provider_id
    ).exclude(pk=payment.pk)
    return others.exists()


def apply(command: Command, *, provider: str) -> Transaction | None:
    """Do what a provider asks. Raises UnknownPayment, PaymentMismatch."""
    match command:
        case Settle():
            return settle(
                transaction_id=command.reference,
                provider=provider,
                provider_id=command.provider_id,
                amount=command.amount,
                currency=command.currency,
            )
        case Authorize():
            return authorize(command, provider=provider)
        case Cancel():
            close = fail if command.declined else cancel
            return close(
                transaction_id=command.reference,
                provider=provider,
                provider_id=command.provider_id,
                reason=command.reason,
            )
        case Refund():
            # Taking money back out of a wallet is a decision: it may be spent already. A person makes it.
            raise PaymentMismatch(
                f"{command.reference}: {provider} has refunded {command.amount} {command.currency}"
            )


@transaction.atomic
def authorize(command: Authorize, *, provider: str) -> Transaction:
    """The provider has reserved the money: the payment is in progress until it is settled."""
    payment = _locked(command.reference, provider=provider, provider_id=command.provider_id)
    if (payment.amount, payment.currency) != (command.amount, command.currency):
        raise PaymentMismatch(f"{payment.pk}: {command.amount} {command.currency} reserved")
    if payment.status == Status.PENDING:
        payment.status, payment.provider_transaction_id = Status.PROCESSING, command.provider_id
        payment.save(update_fields=["status", "provider_transaction_id"])
    return payment


def verify(*, transaction_id: UUID) -> Transaction:
    """Ask the provider how a payment stands, and act on the answer. Raises ProviderUnavailable."""
    payment = Transaction.objects.select_related("payment_method").get(
        pk=transaction_id, type=Transaction.Type.DEPOSIT
    )
    if not payment.is_open or payment.payment_method is None:
        return payment
    code = payment.payment_method.code
    try:
        provider = providers.get(code)
    except KeyError:
        raise ProviderUnavailable(f"no provider {code}") from None
    command = provider.verify_payment(payment)
    if command is None:
        return payment
    return apply(command, provider=code) or payment


def sweep_pending(*, at: datetime) -> int:
    """Ask about payments whose webhook never came, and give up the oldest. Returns how many were closed."""
    waiting = Transaction.objects.filter(
        type=Transaction.Type.DEPOSIT, status__in=Transaction.OPEN, created_at__lt=at - ASK_AFTER
    )
    closed = 0
    for payment in waiting.order_by("created_at")[:SWEEP_BATCH]:
        try:
            if not verify(transaction_id=payment.pk).is_open:
                closed += 1
            elif payment.created_at < at - GIVE_UP_AFTER:
                cancel(transaction_id=payment.pk, reason="")
                closed += 1
        except DomainError as error:
            logger.warning("payment %s could not be verified (%s: %s)", payment.pk, error.code, error)
    return closed


def _tell(payment: Transaction, kind: str) -> None:
    notify(
        user=payment.user,
        kind=kind,
        context={"amount": Money(payment.amount, payment.currency)},
        action_url=reverse("payments:transaction", args=[payment.pk]),
    )
