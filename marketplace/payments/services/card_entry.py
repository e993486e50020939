"""A payer types a card on a page of ours, and then the code that its bank has sent.

The number goes on to the provider at once and is kept nowhere: of it only the last four digits stay with the payment. Each
try is counted under the payment's lock before the provider is asked, so that nobody can try cards or codes without end.
"""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from marketplace.core import jobs
from marketplace.payments import providers
from marketplace.payments.cards import Card
from marketplace.payments.errors import PaymentNotOpen, ProviderUnavailable, TooManyTries, UnknownPayment
from marketplace.payments.models import Transaction
from marketplace.payments.providers.atmos import AtmosProvider
from marketplace.payments.services import attempts, deposits

logger = logging.getLogger("marketplace.payments")

# Per payment; each card's code has tries of its own.
MOST_CARDS = 5
MOST_CODES = 5
# When the last answer was lost: the provider is asked this much later.
ASK_AFTER = timedelta(seconds=20)


def send_card(*, transaction_id: UUID, card: Card, expiry: str) -> Transaction:
    """Hand a card on (`expiry` is YYMM); its holder gets a code by SMS.

    Raises PaymentNotOpen, TooManyTries, CardRefused, NotEnoughOnCard, AlreadyPaid, ProviderUnavailable.
    """
    payment = _counted(transaction_id, "cards", MOST_CARDS)
    number = _provider(payment).send_card(payment, number=card.number, expiry=expiry)
    with transaction.atomic():
        payment = deposits.locked(transaction_id)
        payment.provider_transaction_id = number
        payment.metadata["card"] = {**card_of(payment), "last_four": card.last_four, "codes": 0}
        payment.save(update_fields=["provider_transaction_id", "metadata"])
    logger.info("payment %s: a card was sent on", payment.pk)
    return payment


def confirm_card(*, transaction_id: UUID, code: str) -> Transaction:
    """Hand the holder's code on, and credit the wallet when the provider confirms. Twice credits once.

    A payment that is still open afterwards is asked about by a job: the provider has not said yet how it ended.

    Raises PaymentNotOpen, TooManyTries, WrongCode, NotEnoughOnCard, PaymentMismatch.
    """
    payment = _counted(transaction_id, "codes", MOST_CODES)
    provider = _provider(payment)
    try:
        command = provider.confirm(payment, code)
    except ProviderUnavailable as error:
        logger.warning("payment %s: %s", payment.pk, error)
        command = None
    if command is None:
        jobs.enqueue("tasks.payments.process_deposit", delay=ASK_AFTER, transaction_id=str(payment.pk))
        return payment
    return attempts.act(command, provider.code).payment or payment


def card_of(payment: Transaction) -> dict[str, Any]:
    """What is kept of a payment's card: `last_four`, and how often a card and a code were tried."""
    known = payment.metadata.get("card")
    return known if isinstance(known, dict) else {}


@transaction.atomic
def _counted(transaction_id: UUID, what: str, most: int) -> Transaction:
    payment = deposits.locked(transaction_id)
    if not payment.is_open:
        raise PaymentNotOpen(f"{payment.pk} is {payment.status}")
    card = card_of(payment)
    done = card.get(what, 0)
    if done >= most:
        raise TooManyTries(f"{payment.pk}: {done} {what}")
    payment.metadata["card"] = {**card, what: done + 1}
    payment.save(update_fields=["metadata"])
    return payment


def _provider(payment: Transaction) -> AtmosProvider:
    try:
        provider = providers.get(payment.payment_method.code if payment.payment_method else "")
    except KeyError:
        raise ProviderUnavailable(f"no provider for {payment.pk}") from None
    if not isinstance(provider, AtmosProvider):
        raise UnknownPayment(f"{payment.pk} takes no card here")
    return provider
