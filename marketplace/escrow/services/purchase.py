"""From "Buy" to money in escrow."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.accounts.deletion import must_stay
from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.money import Minor, share
from marketplace.escrow.errors import PriceChanged, TradeNotOpen
from marketplace.escrow.facts import TradePaid, TradeStarted
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.services._steps import locked, move, note, tell, tell_both
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.listings import services as listings
from marketplace.listings.errors import ListingNotAvailable
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction
from marketplace.subscriptions import selectors as subscriptions

Status = EscrowTransaction.Status
PURPOSE = "trade"


def buy(
    *, listing_id: uuid.UUID, buyer: User, idempotency_key: str, expected_amount: Minor | None = None
) -> EscrowTransaction:
    """Reserve a listing for this buyer and start the trade, waiting for payment.

    The same key gives the same trade again. `expected_amount` is what the buyer saw; another price is refused.
    Raises ListingNotAvailable, OwnListing, PriceChanged.
    """
    try:
        with transaction.atomic():
            trade = _reserved(listing_id, buyer, idempotency_key, expected_amount)
            trade.save(force_insert=True)
            note(trade, "started")
            tell(trade.seller, "trade_started", trade, buyer=buyer.display_name, deadline=trade.due_at)
    except REFUSED_TWICE:
        if again := _sent_before(buyer, idempotency_key):
            return again
        raise
    return trade


def buy_from_balance(
    *, listing_id: uuid.UUID, buyer: User, idempotency_key: str, expected_amount: Minor | None = None
) -> EscrowTransaction:
    """Buy and pay in one step; without enough money nothing is reserved.

    Raises what `buy` does, and InsufficientFunds.
    """
    try:
        with transaction.atomic():
            trade = _reserved(listing_id, buyer, idempotency_key, expected_amount)
            _hold(trade, at=timezone.now())
    except REFUSED_TWICE:
        if again := _sent_before(buyer, idempotency_key):
            return pay_from_balance(trade_id=again.pk, buyer=buyer)
        raise
    return trade


# What a form meets that is sent a second time: the first has reserved the listing, or the trade has ended since and its
# key is still taken. Nobody looks for a trade of the key before that, for nearly always there is none.
REFUSED_TWICE = (ListingNotAvailable, IntegrityError)


def _sent_before(buyer: User, idempotency_key: str) -> EscrowTransaction | None:
    """The trade that this key has started."""
    trades = EscrowTransaction.objects.select_related("listing", "buyer", "seller")
    # Not `first`, which orders: then the planner would walk through all of this buyer's trades instead of using the unique key.
    return next(iter(trades.filter(buyer=buyer, idempotency_key=idempotency_key).order_by()), None)


def _reserved(
    listing_id: uuid.UUID, buyer: User, idempotency_key: str, expected_amount: Minor | None
) -> EscrowTransaction:
    """A trade that is not stored yet, of a listing that is now reserved for it."""
    must_stay(buyer)
    listing = listings.reserve(listing_id=listing_id, buyer=buyer)
    if expected_amount is not None and listing.price != expected_amount:
        raise PriceChanged(f"{listing_id}: {expected_amount} -> {listing.price}")
    rate = subscriptions.commission(listing.seller)
    commission = share(listing.price, rate)
    trade = EscrowTransaction(
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
    return trade


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
    """Pay for a trade that is locked, or not stored yet."""
    entry = post(
        JournalEntry.Kind.HOLD,
        key=f"trade:{trade.pk}:hold",
        currency=trade.currency,
        legs={accounts.available(trade.buyer_id): -trade.amount, accounts.held(trade.buyer_id): trade.amount},
        is_first=trade._state.adding,
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
    tell_both(trade, seller="trade_paid", buyer="purchase_paid", deadline=trade.due_at)
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
    tell_both(trade, seller="trade_cancelled", buyer="trade_cancelled")
