"""Giving the buyer the price back, or a part of it, by a decision of the staff. The commission comes back in proportion."""

import uuid
from functools import partial

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.core.money import Minor, Money, share
from marketplace.escrow.errors import OwnTrade, RefundTooLarge, TradeNotOpen
from marketplace.escrow.facts import TradeRefunded
from marketplace.escrow.models import EscrowTransaction, TradeRefund
from marketplace.escrow.services._steps import locked, tell
from marketplace.escrow.services.settlement import finish_paid, finish_refunded
from marketplace.ledger import accounts
from marketplace.ledger.accounts import AccountRef
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction

Status = EscrowTransaction.Status


@transaction.atomic
def refund_by_staff(
    *, trade_id: uuid.UUID, amount: Minor, actor: User, reason: str, idempotency_key: str
) -> EscrowTransaction:
    """Give the buyer `amount` (minor units) of the price back.

    While the money is held, the rest goes to the seller less the commission on that rest, and the trade is over. Once the
    seller is paid, they give back their share, and the shop its share of the commission. A repeat of the key is the same
    refund. A trade that was paid through a provider is refunded to the payer's method where the provider can.

    Raises RefundTooLarge, TradeNotOpen (nothing was paid, or all went back), OwnTrade, KeyReused, and InsufficientFunds
    when a paid seller no longer has their share.
    """
    trade = locked(trade_id)
    if known := trade.refunds.filter(idempotency_key=idempotency_key).first():
        if known.amount != amount:
            raise KeyReused(f"refund {known.pk}")
        return trade
    if actor.pk in {trade.buyer_id, trade.seller_id}:
        raise OwnTrade(str(trade.pk))
    if trade.status not in {*EscrowTransaction.HOLDING, Status.CONFIRMED}:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    if type(amount) is not int or not 0 < amount <= trade.amount - trade.refunded_amount:
        raise RefundTooLarge(f"{amount!r} of {trade.amount - trade.refunded_amount}")
    commission = _commission_of(trade, amount)
    is_held = trade.status in EscrowTransaction.HOLDING
    entry = post(
        JournalEntry.Kind.REFUND,
        key=f"trade:{trade.pk}:refund:{idempotency_key}",
        currency=trade.currency,
        legs=_from_escrow(trade, amount) if is_held else _from_seller(trade, amount, commission),
        reference=trade.pk,
        memo=reason,
    )
    TradeRefund.objects.create(
        trade=trade,
        amount=amount,
        commission=commission,
        reason=reason[:200],
        actor=actor,
        journal_entry=entry,
        idempotency_key=idempotency_key,
    )
    trade.refunded_amount += amount
    trade.refunded_commission += commission
    trade.save(update_fields=["refunded_amount", "refunded_commission", "updated_at"])
    _note(trade, entry, amount, commission, is_held=is_held)
    _close_dispute(trade, actor, reason)
    if is_held:
        _finish(trade)
    part = Money(amount, trade.currency)
    tell(trade.buyer, "purchase_part_refunded", trade, part=part, reason=reason)
    tell(trade.seller, "sale_part_refunded", trade, part=part, reason=reason)
    payments.refund_to_method(
        user=trade.buyer, reference=trade.pk, purpose="trade", amount=amount, reason=reason, key=str(entry.pk)
    )
    payments.collect_debts(user_id=trade.buyer_id, currency=trade.currency)
    announce(TradeRefunded(trade_id=trade.pk))
    return trade


def _commission_of(trade: EscrowTransaction, amount: Minor) -> Minor:
    """What the shop gives up: its commission so far less that on what the seller keeps.

    Counted from the whole each time, so that parts never add up to more or less than the rate says.
    """
    kept = trade.amount - trade.refunded_amount - amount
    left = share(kept, trade.commission_basis_points)
    return trade.commission_amount - trade.refunded_commission - left


def _from_escrow(trade: EscrowTransaction, amount: Minor) -> dict[AccountRef, Minor]:
    """All of the held money is parted at once: it can be neither held nor paid twice."""
    rest = trade.amount - amount
    commission = share(rest, trade.commission_basis_points)
    return {
        accounts.held(trade.buyer_id): -trade.amount,
        accounts.available(trade.buyer_id): amount,
        accounts.available(trade.seller_id): rest - commission,
        accounts.COMMISSION: commission,
    }


def _from_seller(trade: EscrowTransaction, amount: Minor, commission: Minor) -> dict[AccountRef, Minor]:
    return {
        accounts.available(trade.seller_id): commission - amount,
        accounts.COMMISSION: -commission,
        accounts.available(trade.buyer_id): amount,
    }


def _note(
    trade: EscrowTransaction, entry: JournalEntry, amount: Minor, commission: Minor, *, is_held: bool
) -> None:
    """The lines of both sides' histories."""
    record = partial(
        payments.record,
        currency=trade.currency,
        entry=entry,
        reference=trade.pk,
        description=trade.listing.title,
    )
    record(user=trade.buyer, type=Transaction.Type.REFUND, amount=amount)
    if not is_held:
        record(user=trade.seller, type=Transaction.Type.CHARGEBACK, amount=amount - commission)
        return
    kept = trade.amount - trade.refunded_amount
    fee = trade.commission_amount - trade.refunded_commission
    if kept > fee:
        paid = {"price": kept, "commission": fee}
        record(user=trade.seller, type=Transaction.Type.SALE, amount=kept - fee, metadata=paid)


def _finish(trade: EscrowTransaction) -> None:
    at = timezone.now()
    if trade.refunded_amount == trade.amount:
        finish_refunded(trade, EscrowTransaction.Ending.DECIDED, at=at)
    else:
        finish_paid(trade, at=at, admin_released_at=at)


def _close_dispute(trade: EscrowTransaction, actor: User, reason: str) -> None:
    trade.disputes.filter(resolved_at__isnull=True).update(
        resolved_at=timezone.now(), resolved_by=actor, resolution=reason
    )
