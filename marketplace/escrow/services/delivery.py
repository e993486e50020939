"""From hand-over to "I have it"."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from marketplace.accounts import trail
from marketplace.accounts.models import User
from marketplace.accounts.trail import Kind
from marketplace.core.money import Money
from marketplace.escrow.errors import BoxEmptied, NotHandedOver, NothingToHandOver, TradeNotOpen
from marketplace.escrow.models import CredentialReveal, EscrowTransaction
from marketplace.escrow.services._steps import locked, move, show, tell
from marketplace.listings.models import Credentials

Status = EscrowTransaction.Status


@transaction.atomic
def hand_over(
    *, trade_id: uuid.UUID, seller: User, login: str = "", password: str = "", note: str = ""
) -> EscrowTransaction:
    """Open the secure box to the buyer. Fields that are filled in replace what the box holds; twice is harmless.

    Raises TradeNotOpen unless the trade is paid, NothingToHandOver when login or password would be missing.
    """
    trade = locked(trade_id, seller=seller)
    if trade.is_handed_over:
        return trade
    if trade.status != Status.PAID:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    box, _created = Credentials.objects.select_for_update().get_or_create(listing_id=trade.listing_id)
    box.account_email = login or box.account_email
    box.account_password = password or box.account_password
    if note:
        box.additional_info = {**(box.additional_info or {}), "note": note}
    if not (box.account_email and box.account_password):
        raise NothingToHandOver(str(trade.pk))
    box.save()
    at = timezone.now()
    move(trade, handed_over_at=at, due_at=at + settings.ESCROW_ACCEPT_WINDOW)
    trail.record(Kind.CREDENTIALS_HANDED_OVER, user=trade.seller_id, actor=seller, about=trade)
    tell(trade.buyer, "purchase_handed_over", trade, deadline=trade.due_at)
    return trade


@transaction.atomic
def reveal(*, trade_id: uuid.UUID, viewer: User) -> tuple[EscrowTransaction, Credentials]:
    """Give the buyer what the box holds, and write down that they saw it. The caller has asked for the password again.

    Raises NotHandedOver before the hand-over and after a refund, BoxEmptied when the seller is gone.
    """
    trade = locked(trade_id, buyer=viewer)
    if not trade.may_be_revealed:
        raise NotHandedOver(f"{trade.pk} is {trade.status}")
    box = Credentials.objects.filter(listing_id=trade.listing_id).first()
    if box is None:
        raise BoxEmptied(str(trade.pk))
    seen = CredentialReveal.objects.create(trade=trade, viewer=viewer)
    trail.record(Kind.CREDENTIALS_REVEALED, user=trade.seller_id, actor=viewer, about=trade)
    show(trade)
    tell(trade.seller, "credentials_revealed", trade, time=seen.revealed_at)
    return trade, box


@transaction.atomic
def accept(*, trade_id: uuid.UUID, buyer: User) -> EscrowTransaction:
    """The buyer has the account; the seller is paid after the waiting time. Twice is harmless.

    Raises NotHandedOver, or TradeNotOpen when the trade is disputed or over.
    """
    trade = locked(trade_id, buyer=buyer)
    if trade.status in {Status.DELIVERED, Status.CONFIRMED}:
        return trade
    if trade.status != Status.PAID:
        raise TradeNotOpen(f"{trade.pk} is {trade.status}")
    if not trade.is_handed_over:
        raise NotHandedOver(str(trade.pk))
    delivered(trade, at=timezone.now())
    return trade


def delivered(trade: EscrowTransaction, *, at: datetime) -> None:
    """Start the last wait of a locked trade."""
    move(trade, Status.DELIVERED, delivered_at=at, due_at=at + settings.ESCROW_RELEASE_DELAY)
    earnings = Money(trade.seller_earnings, trade.currency)
    tell(trade.seller, "trade_accepted", trade, amount=earnings, deadline=trade.due_at)
    tell(trade.buyer, "purchase_accepted", trade, deadline=trade.due_at)
