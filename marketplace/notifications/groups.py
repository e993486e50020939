"""Which kinds belong together, as people see them, and which of them nobody can switch off.

People choose by group; the rows of preferences are by type and channel.
"""

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.notifications.kinds import KINDS


class Reason(models.TextChoices):
    """Why a kind is always told, in the page and by e-mail; quiet hours hold back none but what is about money alone."""

    SECURITY = "security", _("Your account’s safety depends on it.")
    DEADLINE = "deadline", _("A deadline runs, and money depends on it.")
    MONEY = "money", _("It is about your money.")


@dataclass(frozen=True, slots=True)
class Group:
    """`words` are the first words of its kinds ("trade" of "trade_paid"); `always` says what of it cannot be switched off."""

    code: str
    name: str | Promise
    icon: str
    about: str | Promise
    always: str | Promise
    words: tuple[str, ...]
    is_for_staff: bool = False


GROUPS: dict[str, Group] = {
    group.code: group
    for group in (
        Group(
            "trades", _("Trades"), "handshake", _("A purchase begins, a login is opened, a trade ends well or comes to nothing."),
            _("payments, logins handed over, deadlines, disputes, refunds"),
            ("trade", "purchase", "sale", "credentials", "dispute"),
        ),
        Group(
            "messages", _("Messages"), "message-circle", _("Somebody writes to you."), "", ("message", "chat", "conversation"),
        ),
        Group(
            "listings", _("Listings"), "tag", _("A moderator has decided about your listing, or your application."), "",
            ("listing", "offer", "price", "organizer"),
        ),
        Group(
            "money", _("Money"), "wallet", _("Top-ups that arrive or fail."),
            _("payouts, refunds, new payout cards, receipts"),
            ("deposit", "withdrawal", "refund", "money", "debt", "payout"),
        ),
        Group(
            "plans", _("Plans"), "gem", _("Your plan begins, is renewed, ends soon or is over."),
            _("what will be taken from your wallet, and what is missing"), ("plan",),
        ),
        Group(
            "account", _("Account and security"), "shield-check",
            _("New sign-ins, your second factor, your address, Telegram, your data."),
            _("new sign-ins, changes of your second factor, address or Telegram, copies of your data, deletion"),
            ("welcome", "new", "email", "telegram", "password", "account"),
        ),
        Group(
            "staff", _("Staff"), "gavel", _("Listings and payouts that wait, the books."), _("books that are not in order"),
            ("books",), is_for_staff=True,
        ),
    )
}  # fmt: skip

# First words that would lead elsewhere.
_ELSEWHERE = {
    "listing_waiting": "staff",
    "payout_waiting": "staff",
    "message_reported": "staff",
    "organizer_waiting": "staff",
}

COMPULSORY: dict[str, Reason] = {
    "welcome": Reason.SECURITY,
    "new_sign_in": Reason.SECURITY,
    "account_factor_added": Reason.SECURITY,
    "account_factor_removed": Reason.SECURITY,
    "account_codes_renewed": Reason.SECURITY,
    "account_code_used": Reason.SECURITY,
    "account_export_ready": Reason.SECURITY,
    "account_deletion_asked": Reason.SECURITY,
    "account_deletion_taken_back": Reason.SECURITY,
    "account_deletion_put_off": Reason.SECURITY,
    "account_way_added": Reason.SECURITY,
    "account_way_removed": Reason.SECURITY,
    "email_bounced": Reason.SECURITY,
    "telegram_linked": Reason.SECURITY,
    "telegram_lost": Reason.SECURITY,
    "payout_card_added": Reason.SECURITY,
    "books_red": Reason.SECURITY,
    "trade_paid": Reason.DEADLINE,
    "trade_disputed": Reason.DEADLINE,
    "purchase_handed_over": Reason.DEADLINE,
    "purchase_accepted": Reason.DEADLINE,
    "plan_renewal_short": Reason.DEADLINE,
    "plan_payment_late": Reason.DEADLINE,
    "trade_confirmed": Reason.MONEY,
    "trade_lost": Reason.MONEY,
    "purchase_paid": Reason.MONEY,
    "purchase_refunded": Reason.MONEY,
    "purchase_part_refunded": Reason.MONEY,
    "sale_part_refunded": Reason.MONEY,
    "withdrawal_requested": Reason.MONEY,
    "withdrawal_completed": Reason.MONEY,
    "withdrawal_failed": Reason.MONEY,
    "refund_started": Reason.MONEY,
    "refund_sent": Reason.MONEY,
    "refund_failed": Reason.MONEY,
    "money_taken_back": Reason.MONEY,
    "money_owed": Reason.MONEY,
    "debt_repaid": Reason.MONEY,
    "plan_renewal_soon": Reason.MONEY,
    "plan_not_started": Reason.MONEY,
}

_GROUP_OF_WORD = {word: group.code for group in GROUPS.values() for word in group.words}


def group_of(kind: str) -> str:
    """The group's code. Raises KeyError for a kind whose first word no group names."""
    return _ELSEWHERE.get(kind) or _GROUP_OF_WORD[kind.split("_", 1)[0]]


def code_of(kind: str) -> str:
    """The code of a kind's `NotificationType`."""
    return kind.replace("_", "-")


def kind_of(code: str) -> str:
    return code.replace("-", "_")


def kinds_in(group: str) -> list[str]:
    return [kind for kind in KINDS if group_of(kind) == group]


def is_urgent(kind: str) -> bool:
    """Whether it may wake somebody up."""
    return COMPULSORY.get(kind) in {Reason.SECURITY, Reason.DEADLINE}
