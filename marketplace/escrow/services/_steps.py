"""What every step of a trade shares: taking its lock, moving it on, and telling both sides."""

import logging
import uuid
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import jobs, realtime
from marketplace.core.cache import bump, person
from marketplace.core.money import Minor, Money
from marketplace.escrow.models import EscrowTransaction
from marketplace.messaging import services as messaging
from marketplace.notifications.services import Message, notify_all

logger = logging.getLogger("marketplace.escrow")


def locked(trade_id: uuid.UUID, **whose: Any) -> EscrowTransaction:
    """The trade, read under its row lock. Raises DoesNotExist for another person's trade."""
    trades = EscrowTransaction.objects.select_for_update(of=("self",)).select_related(
        "listing", "buyer", "seller"
    )
    return trades.get(pk=trade_id, **whose)


def move(trade: EscrowTransaction, status: EscrowTransaction.Status | None = None, **changes: Any) -> None:
    """Save a step, let open pages know, and put it into the chat of the two.

    A trade that is bought and paid in one go is stored by its first step.
    """
    if status is not None:
        logger.info("trade %s: %s -> %s", trade.pk, trade.status, status)
        changes["status"] = status
    for name, value in changes.items():
        setattr(trade, name, value)
    bump(person(trade.buyer_id), person(trade.seller_id))
    if trade._state.adding:
        trade.save(force_insert=True)  # and nobody has its page open yet
    else:
        trade.save(update_fields=[*changes, "updated_at"])
        show(trade)
    note(trade, str(status) if status is not None else "handed_over")


def note(trade: EscrowTransaction, step: str, *, amount: Minor | None = None) -> None:
    """Have a card of this step put into the chat, by a job of its own: nobody who pays waits for it.

    `step` is a key of `messaging.cards.CARDS`; `amount` in minor units, the price where it is not given.
    """
    jobs.enqueue(
        "tasks.escrow.note_step",
        trade_id=str(trade.pk),
        step=step,
        at=timezone.now().isoformat(),
        amount=trade.amount if amount is None else amount,
        deadline=trade.due_at.isoformat() if trade.due_at else None,
    )


def put_into_chat(
    *, trade_id: uuid.UUID, step: str, at: datetime, amount: Minor, deadline: datetime | None
) -> None:
    """What the job does. Twice puts one card there."""
    trade = EscrowTransaction.objects.select_related("listing__seller", "buyer").get(pk=trade_id)
    messaging.note_step(
        listing=trade.listing,
        buyer=trade.buyer,
        trade_id=trade.pk,
        step=step,
        at=at,
        amount=amount,
        currency=trade.currency,
        deadline=deadline,
    )


def show(trade: EscrowTransaction) -> None:
    """Let the open pages of both sides look anew."""
    realtime.publish(f"trade:{trade.pk}", "trade_changed", {"id": str(trade.pk), "status": trade.status})


def tell(user: User, kind: str, trade: EscrowTransaction, **context: Any) -> None:
    """Notify one side about this trade; title and amount are always at hand for the words."""
    notify_all([_message(user, kind, trade, context)])


def tell_both(trade: EscrowTransaction, *, seller: str, buyer: str, **context: Any) -> None:
    """Notify both sides, each with their own kind of notification and the same values."""
    notify_all([_message(trade.seller, seller, trade, context), _message(trade.buyer, buyer, trade, context)])


def _message(user: User, kind: str, trade: EscrowTransaction, context: dict[str, Any]) -> Message:
    values = {"title": trade.listing.title, "amount": Money(trade.amount, trade.currency), **context}
    return Message(user, kind, values, reverse("escrow:trade", args=[trade.pk]))
