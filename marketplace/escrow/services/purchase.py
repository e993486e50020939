"""From "Buy" to money in escrow."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.money import Minor, share
from marketplace.escrow.errors import PriceChanged, TradeNotOpen
from marketplace.escrow.facts import TradePaid, TradeStarted
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.services._steps import locked, move, tell
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.listings import services as listings
from marketplace.listings.errors import ListingNotAvailable
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction

Status = EscrowTransaction.Status
PURPOSE = "trade"


def commission_rate(seller: User) -> int:  # noqa: ARG001 (the plans will decide by the seller)
    """The seller's commission today, in basis points."""
    return settings.COMMISSION_BASIS_POINTS


@transaction.atomic
def buy(
    *, listing_id: uuid.UUID, buyer: User, idempotency_key: str, expected_amount: Minor | None = None
) -> EscrowTransaction:
    """Reserve a listing for this buyer and start the trade, waiting for payment.

    The same key gives the same trade again. `expected_amount` is what the buyer saw; another price is refused.
    Raises ListingNotAvailable, OwnListing, PriceChanged.
    """
    if again := _repeated(buyer, idempotency_key):
        return again
    trade, is_new = _start(listing_id, buyer, idempotency_key, expected_amount)
    if is_new:
        tell(trade.seller, "trade_started", trade, buyer=buyer.display_name, deadline=trade.due_at)
    return trade


@transaction.atomic
def buy_from_balance(
    *, listing_id: uuid.UUID, buyer: User, idempotency_key: str, expected_amount: Minor | None = None
) -> EscrowTransaction:
    """Buy and pay in one step; without enough money nothing is reserved.

    Raises what `buy` does, and InsufficientFunds.
    """
    if again := _repeated(buyer, idempotency_key):
        return pay_from_balance(trade_id=again.pk, buyer=buyer)
    trade, is_new = _start(listing_id, buyer, idempotency_key, expected_amount)
    if not is_new:
        return pay_from_balance(trade_id=trade.pk, buyer=buyer)
    _hold(trade, at=timezone.now())
    return trade


def _repeated(buyer: User, idempotency_key: str) -> EscrowTransaction | None:
    """The trade that this key has started before."""
    trades = EscrowTransaction.objects.filter(buyer=buyer, idempotency_key=idempotency_key)
    # Nearly always there is none: asking for the key alone keeps that cheap.
    # And no order, or the planner would walk through all of this buyer's trades instead of using the unique key.
    found = list(trades.order_by().values_list("pk", flat=True)[:1])
    return trades.select_related("listing", "buyer", "seller").get() if found else None


def _start(
    listing_id: uuid.UUID, buyer: User, idempotency_key: str, expected_amount: Minor | None
) -> tuple[EscrowTransaction, bool]:
    """The trade, and whether this call has made it."""
    try:
        listing = listings.reserve(listing_id=listing_id, buyer=buyer)
    except ListingNotAvailable:
        # Two sends of one form wait for each other at the listing's lock; the second finds the trade of the first.
        if again := _repeated(buyer, idempotency_key):
            return again, False
        raise
    if expected_amount is not None and listing.price != expected_amount:
        raise PriceChanged(f"{listing_id}: {expected_amount} -> {listing.price}")
    rate = commission_rate(listing.seller)
    commission = share(listing.price, rate)
    trade = EscrowTransaction.objects.create(
        listing=listing,
        buyer=buyer,
        seller=listing.seller,
        amount=listing.price,
        currency=listing.currency,
        commission_basis_points=rate,
        commission_amount=commission,
        seller_earnings=listing.price - commission,
        due_at=timezone.now() + settings.ESCROW_PAYMENT_WINDOW,
        idempotency_key=idempotency_key,
    )
    announce(TradeStarted(trade_id=trade.pk))
    return trade, True


@transaction.atomic
def pay_from_balance(*, trade_id: uuid.UUID, buyer: User) -> EscrowTransaction:
    """Move the price from the buyer's available money into escrow. Paying twice pays once.

    Raises InsufficientFunds, and TradeNotOpen once the trade was cancelled.
    """
    trade = locked(trade_id, buyer=buyer)
    if trade.paid_at is not None:
        return trade
    if trade.status != Status.PENDING_PAYMENT:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    _hold(trade, at=timezone.now())
    return trade


def pay_through(
    *, trade_id: uuid.UUID, buyer: User, method_code: str, idempotency_key: str, return_url: str
) -> Transaction:
    """Start a payment at a gateway for this trade. The money lands in the wallet and goes on into escrow at once.

    Raises TradeNotOpen, and what `payments.start_payment` does.
    """
    trade = EscrowTransaction.objects.get(pk=trade_id, buyer=buyer)
    if trade.status != Status.PENDING_PAYMENT:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    return payments.start_payment(
        user=buyer,
        amount=trade.amount,
        currency=trade.currency,
        method_code=method_code,
        purpose=PURPOSE,
        reference=trade.pk,
        idempotency_key=idempotency_key,
        return_url=return_url,
    )


def lock_for_payment(paid: Transaction) -> None:
    """Take the trade's lock before ledger accounts are locked, so that all writers lock in one order."""
    EscrowTransaction.objects.select_for_update().filter(pk=str(paid.reference)).first()


def settle_payment(paid: Transaction) -> None:
    """The gateway's money has arrived in the buyer's wallet, in this transaction: put it into escrow.

    A trade that was cancelled meanwhile, or paid from the balance, leaves the money in the wallet.
    """
    trade = locked(paid.reference)  # type: ignore[arg-type]
    if (
        trade.status == Status.PENDING_PAYMENT
        and trade.buyer_id == paid.user_id
        and paid.amount >= trade.amount
    ):
        _hold(trade, at=timezone.now())


def _hold(trade: EscrowTransaction, *, at: datetime) -> None:
    entry = post(
        JournalEntry.Kind.HOLD,
        key=f"trade:{trade.pk}:hold",
        currency=trade.currency,
        legs={accounts.available(trade.buyer_id): -trade.amount, accounts.held(trade.buyer_id): trade.amount},
    )
    payments.record(
        user=trade.buyer,
        type=Transaction.Type.PURCHASE,
        amount=trade.amount,
        currency=trade.currency,
        entry=entry,
        reference=trade.pk,
        description=trade.listing.title,
    )
    move(trade, Status.PAID, paid_at=at, due_at=at + settings.ESCROW_HAND_OVER_WINDOW)
    tell(trade.seller, "trade_paid", trade, deadline=trade.due_at)
    tell(trade.buyer, "purchase_paid", trade, deadline=trade.due_at)
    announce(TradePaid(trade_id=trade.pk))


@transaction.atomic
def cancel(*, trade_id: uuid.UUID, buyer: User) -> EscrowTransaction:
    """The buyer changes their mind before paying; the listing is for sale again. Twice is harmless."""
    trade = locked(trade_id, buyer=buyer)
    if trade.status == Status.CANCELLED:
        return trade
    if trade.status != Status.PENDING_PAYMENT:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    end_unpaid(trade, EscrowTransaction.Ending.CHANGED_MIND, at=timezone.now())
    return trade


def end_unpaid(trade: EscrowTransaction, ending: EscrowTransaction.Ending, *, at: datetime) -> None:
    """Cancel a locked trade that nobody has paid for."""
    listings.release_reservation(listing_id=trade.listing_id)
    move(trade, Status.CANCELLED, ended_at=at, due_at=None, ending=ending)
    tell(trade.seller, "trade_cancelled", trade)
    tell(trade.buyer, "trade_cancelled", trade)
