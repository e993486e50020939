"""What trades know of a person (see `accounts.traces`). They stay for both sides and for the books."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import Leaver, Obstacle, Part, Row, Share
from marketplace.core.money import to_decimal
from marketplace.escrow.models import CredentialReveal, Dispute, EscrowTransaction
from marketplace.escrow.selectors import trades_of
from marketplace.notifications.services import forget_name

_TIMES = (
    "created_at", "paid_at", "handed_over_at", "delivered_at", "buyer_confirmed_at", "seller_paid_at", "ended_at",
)  # fmt: skip


def _trades(user: User) -> Iterator[Row]:
    for trade in trades_of(user).order_by("pk").iterator(chunk_size=500):
        is_buyer = trade.buyer_id == user.pk
        row: dict[str, object] = {
            "number": trade.number,
            "side": "buyer" if is_buyer else "seller",
            "with": (trade.seller if is_buyer else trade.buyer).display_name,
            "listing": trade.listing.title,
            "game": trade.listing.game.name,
            "amount": str(to_decimal(trade.amount)),
            "currency": trade.currency,
            "status": trade.status,
            "ending": trade.ending,
            "refunded": str(to_decimal(trade.refunded_amount)),
            **{name: getattr(trade, name) for name in _TIMES},
        }
        if not is_buyer:
            row["commission"] = str(to_decimal(trade.commission_amount))
            row["earnings"] = str(to_decimal(trade.seller_earnings))
        yield row


def _disputes(user: User) -> Iterator[Row]:
    """What the other side told the moderators is theirs."""
    mine = EscrowTransaction.objects.of(user)
    for dispute in Dispute.objects.filter(trade__in=mine).select_related("trade").order_by("pk"):
        is_own = dispute.opened_by_id == user.pk
        yield {
            "what": "dispute",
            "trade": dispute.trade.number,
            "opened_by": "you" if is_own else "other",
            "reason": dispute.reason,
            "statement": dispute.statement if is_own else None,
            "opened_at": dispute.opened_at,
            "resolved_at": dispute.resolved_at,
            "resolution": dispute.resolution,
        }
    for look in CredentialReveal.objects.filter(viewer=user).select_related("trade").order_by("pk"):
        yield {"what": "opened_login", "trade": look.trade.number, "at": look.revealed_at}


def _obstacles(user: User) -> Iterator[Obstacle]:
    for trade in trades_of(user).filter(status__in=EscrowTransaction.OPEN)[:20]:
        words = _("A dispute is open: #%(number)s, %(title)s.")
        if trade.status != EscrowTransaction.Status.DISPUTED:
            words = _("A trade is open: #%(number)s, %(title)s.")
        yield Obstacle(
            words % {"number": trade.number, "title": trade.listing.title},
            reverse("escrow:trade", args=[trade.pk]),
        )


def _forget(leaver: Leaver) -> None:
    readers = {
        one
        for pair in EscrowTransaction.objects.of(leaver.user).values_list("buyer_id", "seller_id")
        for one in pair
        if one != leaver.user_id
    }
    forget_name(name=leaver.name, readers=readers)


SHARE = Share(
    app="escrow",
    parts=(
        Part(
            "trades",
            _("Your purchases and sales, step by step."),
            ("escrow.EscrowTransaction",),
            _trades,
        ),
        Part(
            "disputes",
            _("Disputes of your trades, and when you opened a login you bought."),
            ("escrow.Dispute", "escrow.CredentialReveal"),
            _disputes,
        ),
    ),
    obstacles=_obstacles,
    forget=_forget,
)
