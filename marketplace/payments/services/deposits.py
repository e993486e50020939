"""Money that comes in through a provider."""

import logging
from datetime import datetime
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.deletion import must_stay
from marketplace.accounts.models import User
from marketplace.core import jobs
from marketplace.core.announce import announce
from marketplace.core.errors import DomainError
from marketplace.core.money import MAX_MINOR, Minor, Money
from marketplace.core.prepared import Prepared, Slot
from marketplace.ledger import accounts
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.notifications.services import notify
from marketplace.payments import providers, purposes, selectors
from marketplace.payments.errors import (
    AlreadyPaid,
    AmountOutOfRange,
    AttemptBusy,
    MethodNotAvailable,
    UnknownPayment,
)
from marketplace.payments.facts import DepositFailed, DepositSettled
from marketplace.payments.models import PaymentAttempt, PaymentMethod, Transaction
from marketplace.payments.services import debts, receipt_mail

logger = logging.getLogger("marketplace.payments")

Status = Transaction.Status
_locking = Prepared(
    lambda: (
        Transaction.objects.select_for_update(of=("self",))
        .select_related("payment_method")
        .filter(pk=Slot("pk"), type=Transaction.Type.DEPOSIT)
    )
)


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

    Raises MethodNotAvailable, AmountOutOfRange, KeyReused, ProviderUnavailable, AccountLeaving.
    """
    must_stay(user)
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
    payment.metadata |= {"payment_url": redirect.url, **redirect.details}
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


def locked(transaction_id: UUID, *, provider: str = "") -> Transaction:
    """A deposit's row with its method, locked; of this provider where one is named. Raises UnknownPayment."""
    payment = next(iter(_locking(pk=transaction_id)), None)
    if payment is None or (
        provider and (payment.payment_method is None or payment.payment_method.code != provider)
    ):
        raise UnknownPayment(f"{transaction_id} at {provider}")
    return payment


def credit(payment: Transaction, *, provider_id: str, at: datetime) -> None:
    """Put a locked payment's money into its wallet and let its purpose act; debts are repaid from what is left.

    The provider waits for our answer meanwhile, so whatever is not money is left to a job (see `tell_settled`).
    """
    provider = payment.payment_method.code if payment.payment_method else ""
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
        is_first=True,
    )
    payment.status, payment.processed_at = Status.COMPLETED, at
    payment.failed_at, payment.reason = None, ""
    payment.provider_transaction_id = provider_id or payment.provider_transaction_id
    payment.save(
        update_fields=[
            "journal_entry", "status", "processed_at", "provider_transaction_id", "failed_at", "reason",
        ]
    )  # fmt: skip
    logger.info("payment %s settled: %s %s by %s", payment.pk, payment.amount, payment.currency, provider)
    jobs.enqueue("tasks.payments.tell_settled", transaction_id=str(payment.pk))
    announce(DepositSettled(payment.pk, payment.user_id, payment.amount, payment.currency))
    if payment.purpose != purposes.DEPOSIT:
        _use(payment, purpose)
    debts.collect(user_id=payment.user_id, currency=payment.currency)


def tell_settled(*, transaction_id: UUID) -> None:
    """Tell the payer that the money is there, in the app and by mail. Twice tells once.

    A mail server's error goes up to the job, which tries again.
    """
    with transaction.atomic():
        payment = locked(transaction_id)
        if payment.status == Status.COMPLETED and "told_at" not in payment.metadata:
            _tell(payment, "deposit_completed")
            payment.metadata["told_at"] = timezone.now().isoformat()
            payment.save(update_fields=["metadata"])
    receipt_mail.email_receipt(transaction_id=transaction_id)


def _use(payment: Transaction, purpose: purposes.Purpose) -> None:
    try:
        with transaction.atomic():
            purpose.settle(payment)
    except DomainError as error:
        # The money did arrive: it stays in the wallet, whatever the purpose says.
        logger.warning(
            "payment %s: %s could not use it (%s: %s)", payment.pk, payment.purpose, error.code, error
        )


def close(payment: Transaction, status: Status, *, reason: str, at: datetime) -> None:
    """End a locked payment that was not made. One that is closed already stays as it is."""
    if not payment.is_open:
        return
    payment.status, payment.failed_at, payment.reason = status, at, reason[:200]
    payment.save(update_fields=["status", "failed_at", "reason"])
    logger.info("payment %s %s: %s", payment.pk, status, reason)
    if status == Status.FAILED:
        _tell(payment, "deposit_failed")
        announce(DepositFailed(payment.pk, payment.user_id))


@transaction.atomic
def cancel(*, transaction_id: UUID, reason: str = "") -> Transaction:
    """Give a payment up: nobody came. Twice is harmless.

    Raises UnknownPayment, AlreadyPaid, and AttemptBusy while a provider is still at it.
    """
    payment = locked(transaction_id)
    if payment.status == Status.COMPLETED:
        raise AlreadyPaid(str(payment.pk))
    if payment.attempts.filter(state=PaymentAttempt.State.OPEN).exists():
        raise AttemptBusy(str(payment.pk))
    close(payment, Status.CANCELLED, reason=reason, at=timezone.now())
    return payment


def _tell(payment: Transaction, kind: str) -> None:
    notify(
        user=payment.user,
        kind=kind,
        context={"amount": Money(payment.amount, payment.currency)},
        action_url=reverse("payments:transaction", args=[payment.pk]),
    )
