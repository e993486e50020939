"""Reads: trades as their two sides see them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.core.live import topics
from marketplace.core.money import Money
from marketplace.escrow.models import CredentialReveal, EscrowTransaction
from marketplace.messaging.models import Conversation

Status = EscrowTransaction.Status
FINISHED = (Status.CONFIRMED, Status.REFUNDED, Status.CANCELLED)


def trades_of(user: Any) -> QuerySet[EscrowTransaction]:
    """The trades in which a person is a party, newest first, with listing, game and both people."""
    return (
        EscrowTransaction.objects.of(user).select_related("listing__game", "buyer", "seller").order_by("-id")
    )


def live_stamp(user: Any, trade_id: str) -> str | None:
    """When a trade last changed, for the stream of its page; None unless the user is a party."""
    if not user.is_authenticated:
        return None
    try:
        found = EscrowTransaction.objects.of(user).filter(pk=trade_id).only("updated_at").first()
    except (ValueError, ValidationError):  # no key at all
        return None
    return stamp(found) if found else None


def stamp(trade: EscrowTransaction) -> str:
    """Another one whenever the trade's page would look different: it moved on, or the login was shown."""
    shown = CredentialReveal.objects.filter(trade=trade).count()
    return f"{topics.stamp_of(trade.updated_at)}.{shown}"


def trade_list(user: Any, *, side: str = "", show: str = "") -> QuerySet[EscrowTransaction]:
    """`side` is "buying", "selling" or both; `show` is "open", "finished" or all."""
    trades = trades_of(user)
    if side == "buying":
        trades = trades.filter(buyer=user)
    elif side == "selling":
        trades = trades.filter(seller=user)
    if show == "open":
        trades = trades.filter(status__in=EscrowTransaction.OPEN)
    elif show == "finished":
        trades = trades.filter(status__in=FINISHED)
    return trades


def reveals_of(trade: EscrowTransaction) -> list[CredentialReveal]:
    """Who opened the secure box and when, newest first."""
    return list(trade.reveals.select_related("viewer").order_by("-id")[:10])


def open_trade_on(listing_id: uuid.UUID, user: Any) -> EscrowTransaction | None:
    """This person's own running trade of a listing, if there is one."""
    return (
        EscrowTransaction.objects.of(user)
        .filter(listing_id=listing_id, status__in=EscrowTransaction.OPEN)
        .first()
    )


def oversees(user: Any, conversation: Conversation) -> bool:
    """Whether a moderator may read what two people said: while they dispute a trade, and who decides disputes."""
    return bool(
        conversation.listing_id
        and user.has_perm("escrow.refund_trade")
        and EscrowTransaction.objects.filter(
            listing=conversation.listing_id,
            buyer=conversation.buyer_id,
            seller=conversation.seller_id,
            status=Status.DISPUTED,
        ).exists()
    )


def held_by_trades() -> dict[tuple[uuid.UUID, str], int]:
    """How much open trades hold, by buyer and currency: what the ledger's held accounts must show."""
    rows = (
        EscrowTransaction.objects.holding_money()
        .order_by()
        .values("buyer_id", "currency")
        .annotate(total=Sum("amount"))
    )
    return {(row["buyer_id"], row["currency"]): row["total"] for row in rows}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the stepper: state is done, now, fail or empty."""

    state: str
    title: str | Promise
    text: str | Promise = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What one side of a trade sees and can do now."""

    trade: EscrowTransaction
    side: str
    steps: list[Step]
    may_pay: bool
    may_cancel: bool
    may_hand_over: bool
    may_reveal: bool
    may_accept: bool
    may_confirm: bool
    may_dispute: bool

    @property
    def is_buyer(self) -> bool:
        return self.side == "buyer"

    @property
    def other(self) -> Any:
        return self.trade.seller if self.is_buyer else self.trade.buyer

    @property
    def has_action(self) -> bool:
        return any((self.may_pay, self.may_hand_over, self.may_accept, self.may_confirm))


def desk(trade: EscrowTransaction, user: Any) -> Desk:
    """The trade from this person's side. Reads nothing beyond the trade that is given."""
    buys = trade.buyer_id == user.pk
    checking = trade.status == Status.PAID and trade.is_handed_over
    unsettled = trade.status in {Status.PAID, Status.DELIVERED} and trade.is_handed_over
    return Desk(
        trade=trade,
        side="buyer" if buys else "seller",
        steps=list(_steps(trade, buys=buys)),
        may_pay=buys and trade.status == Status.PENDING_PAYMENT,
        may_cancel=buys and trade.status == Status.PENDING_PAYMENT,
        may_hand_over=not buys and trade.status == Status.PAID and not trade.is_handed_over,
        may_reveal=buys and trade.may_be_revealed,
        may_accept=buys and checking,
        may_confirm=buys and unsettled,
        may_dispute=unsettled,
    )


def _steps(trade: EscrowTransaction, *, buys: bool) -> Iterable[Step]:
    """The stepper's four steps; a trade that ended otherwise shows where."""
    amount, earnings = Money(trade.amount, trade.currency), Money(trade.seller_earnings, trade.currency)
    stage = _stage(trade)
    over = trade.status in {Status.CANCELLED, Status.REFUNDED}

    def state(number: int) -> str:
        if stage > number:
            return "done"
        if stage < number:
            return ""
        return "fail" if over or trade.status == Status.DISPUTED else "now"

    yield Step(
        state(1),
        _("Payment") if stage == 1 else _("Paid"),
        _("%(amount)s into escrow") % {"amount": amount},
        trade.paid_at,
    )
    yield Step(
        state(2),
        _("Seller hands over the login") if buys else _("You hand over the login"),
        _("Through the secure box, encrypted"),
        trade.handed_over_at,
    )
    yield Step(
        state(3),
        _("You check the account") if buys else _("The buyer checks the account"),
        _("Change the password, then say that you have it") if buys else _("The buyer changes the password"),
        trade.delivered_at,
    )
    yield Step(
        state(4),
        _("Seller gets paid") if buys else _("You get paid"),
        _("%(amount)s after the fee") % {"amount": earnings},
        trade.seller_paid_at,
    )


def _stage(trade: EscrowTransaction) -> int:
    """Which of the four steps the trade stands at; five when all are done."""
    if trade.seller_paid_at:
        return 5
    if trade.delivered_at:
        return 4
    if trade.handed_over_at:
        return 3
    return 2 if trade.paid_at else 1
