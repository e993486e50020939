"""Where the held money ends: with the seller, or back with the buyer."""

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.accounts.services import note_sale
from marketplace.core.announce import announce
from marketplace.core.money import Money
from marketplace.escrow.errors import NotHandedOver, TradeNotOpen
from marketplace.escrow.facts import TradeConfirmed, TradeRefunded
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.services._steps import locked, move, tell
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.listings import services as listings
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction

Status = EscrowTransaction.Status


@transaction.atomic
def confirm(*, trade_id: uuid.UUID, buyer: User) -> EscrowTransaction:
    """The buyer is content: pay the seller now, without the wait. Twice pays once.

    Raises NotHandedOver, or TradeNotOpen when the trade is disputed or over.
    """
    trade = locked(trade_id, buyer=buyer)
    if trade.status == Status.CONFIRMED:
        return trade
    if trade.status not in {Status.PAID, Status.DELIVERED}:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    if not trade.is_handed_over:
        raise NotHandedOver(str(trade.pk))
    at = timezone.now()
    release(trade, at=at, buyer_confirmed_at=at, delivered_at=trade.delivered_at or at)
    return trade


def release(trade: EscrowTransaction, *, at: datetime, **times: datetime) -> None:
    """Pay the seller of a locked trade out of the buyer's held money, less the commission of the day of purchase.

    Source: spec ESCROW-11, CONTRA-11. The listing becomes sold.
    """
    legs = {
        accounts.held(trade.buyer_id): -trade.amount,
        accounts.available(trade.seller_id): trade.seller_earnings,
        accounts.COMMISSION: trade.commission_amount,
    }
    entry = post(
        JournalEntry.Kind.RELEASE,
        key=f"trade:{trade.pk}:release",
        currency=trade.currency,
        # A plan without commission, or a share that rounds to nothing, has no third leg.
        legs={account: amount for account, amount in legs.items() if amount},
    )
    payments.record(
        user=trade.seller,
        type=Transaction.Type.SALE,
        amount=trade.seller_earnings,
        currency=trade.currency,
        entry=entry,
        reference=trade.pk,
        description=trade.listing.title,
        metadata={"price": trade.amount, "commission": trade.commission_amount},
    )
    finish_paid(trade, at=at, **times)
    tell(
        trade.seller,
        "trade_confirmed",
        trade,
        amount=Money(trade.seller_earnings, trade.currency),
        fee=Money(trade.commission_amount, trade.currency),
    )
    tell(trade.buyer, "purchase_confirmed", trade)
    payments.collect_debts(user_id=trade.seller_id, currency=trade.currency)
    announce(TradeConfirmed(trade_id=trade.pk, seller_id=trade.seller_id, buyer_id=trade.buyer_id))


def refund(trade: EscrowTransaction, ending: EscrowTransaction.Ending, *, at: datetime) -> None:
    """Give a locked trade's held money back to the buyer; the listing is taken down."""
    entry = post(
        JournalEntry.Kind.REFUND,
        key=f"trade:{trade.pk}:refund",
        currency=trade.currency,
        legs={accounts.held(trade.buyer_id): -trade.amount, accounts.available(trade.buyer_id): trade.amount},
    )
    payments.record(
        user=trade.buyer,
        type=Transaction.Type.REFUND,
        amount=trade.amount,
        currency=trade.currency,
        entry=entry,
        reference=trade.pk,
        description=trade.listing.title,
    )
    finish_refunded(trade, ending, at=at)
    tell(trade.buyer, "purchase_refunded", trade, reason=ending.label)
    tell(trade.seller, "trade_lost", trade)
    payments.refund_to_method(
        user=trade.buyer,
        reference=trade.pk,
        purpose="trade",
        amount=trade.amount,
        reason=str(ending.label),
        key=str(entry.pk),
    )
    payments.collect_debts(user_id=trade.buyer_id, currency=trade.currency)
    announce(TradeRefunded(trade_id=trade.pk))


def finish_paid(trade: EscrowTransaction, *, at: datetime, **times: datetime) -> None:
    """The seller of a locked trade has their money: the trade counts for both, and the listing is sold."""
    move(trade, Status.CONFIRMED, seller_paid_at=at, due_at=None, **times)
    listings.mark_sold(listing_id=trade.listing_id)
    note_sale(seller_id=trade.seller_id, buyer_id=trade.buyer_id)


def finish_refunded(trade: EscrowTransaction, ending: EscrowTransaction.Ending, *, at: datetime) -> None:
    """The buyer of a locked trade has all of the money back: the listing is taken down."""
    move(
        trade,
        Status.REFUNDED,
        ended_at=at,
        due_at=None,
        ending=ending,
        refunded_amount=trade.amount,
        refunded_commission=trade.commission_amount,
    )
    listings.take_down(listing_id=trade.listing_id)
