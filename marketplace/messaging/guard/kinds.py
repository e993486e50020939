"""What the guard can see, what it says about it, and whether the sender may go on."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    PHONE = "phone"
    HANDLE = "handle"
    LINK = "link"
    EMAIL = "email"
    CARD = "card"
    PASSWORD = "password"  # noqa: S105  # nosec B105: the name of a kind


@dataclass(frozen=True, slots=True)
class Rule:
    """`what` names the thing and `why` says what may come of it, both for the sender.

    `may_override` tells whether the message may be sent all the same, once the sender has read this.
    """

    what: str | Promise
    why: str | Promise
    may_override: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen in a message.

    `start` and `end` are offsets in the text as it was given, end excluded. `seen` is that piece of it, with the
    digits of a card but the last four, and all of a password, replaced by dots: it may be shown and stored.
    """

    kind: Kind
    start: int
    end: int
    seen: str


RULES: dict[Kind, Rule] = {
    Kind.PHONE: Rule(
        what=_("A phone number."),
        why=_(
            "Whoever talks you out of this chat can pass for someone else. We cannot help with what was agreed elsewhere."
        ),
        may_override=True,
    ),
    Kind.HANDLE: Rule(
        what=_("A name on another network."),
        why=_(
            "Names there are easily copied. We cannot see what was agreed elsewhere and cannot give the money back."
        ),
        may_override=True,
    ),
    Kind.LINK: Rule(
        what=_("A link that leads away from here."),
        why=_(
            "Pages that look like ours are made to steal logins and cards. Nothing here has to be opened elsewhere."
        ),
        may_override=True,
    ),
    Kind.EMAIL: Rule(
        what=_("An e-mail address."),
        why=_("It can be used to try to get into the account it belongs to, or to write to you in our name."),
        may_override=True,
    ),
    Kind.CARD: Rule(
        what=_("A card number."),
        why=_(
            "Whoever has it can charge you, and money sent to a card is not held in escrow. Pay with the button only."
        ),
        may_override=False,
    ),
    Kind.PASSWORD: Rule(
        what=_("A password."),
        why=_(
            "What stands in the chat cannot be taken back. Hand the login over through the secure box of the trade."
        ),
        may_override=False,
    ),
}
