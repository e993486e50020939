"""Steps of a trade as cards in the thread: the words for each, made in the reader's language and time zone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.core import dates
from marketplace.core.money import Money


@dataclass(frozen=True, slots=True)
class Card:
    text: str | Promise
    icon: str
    tone: str = "muted"


CARDS: dict[str, Card] = {
    "started": Card(_("The purchase has begun: %(amount)s is to be paid by %(deadline)s"), "handshake"),
    "paid": Card(_("%(amount)s received and held in escrow"), "shield-check", "success"),
    "handed_over": Card(_("The login is in the secure box"), "key-round", "accent"),
    "delivered": Card(_("The buyer has the account. The seller is paid on %(deadline)s"), "circle-check"),
    "confirmed": Card(_("The trade is finished: the seller is paid"), "handshake", "success"),
    "disputed": Card(
        _("A dispute is open: the money is frozen until a moderator decides"), "gavel", "danger"
    ),
    "refunded": Card(_("%(amount)s went back to the buyer"), "undo-2", "warn"),
    "part_refunded": Card(_("A moderator gave %(amount)s back to the buyer"), "undo-2", "warn"),
    "cancelled": Card(_("The purchase was cancelled, nothing was charged"), "circle-x"),
}
UNKNOWN = Card(_("A step of the trade"), "info")


def card_of(data: dict[str, Any]) -> Card:
    return CARDS.get(str(data.get("step")), UNKNOWN)


def words(data: dict[str, Any]) -> str:
    """What a system message says. `data`: {"step", "amount"? in minor units, "currency"?, "deadline"? ISO 8601}."""
    amount, deadline = data.get("amount"), data.get("deadline")
    values = {
        "amount": str(Money(amount, data.get("currency", "UZS"))) if isinstance(amount, int) else "",
        "deadline": dates.day_and_time(timezone.localtime(datetime.fromisoformat(deadline)))
        if deadline
        else "",
    }
    return str(card_of(data).text) % values
