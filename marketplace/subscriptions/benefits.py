"""What a plan brings, in words. A plan names benefits by these codes; a text that is no code is shown as it stands."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, str | Promise] = {
    "escrow": _("Escrow on every trade"),
    "secure_box": _("Log-in details handed over through an encrypted box"),
    "review": _("Offers checked within 24 hours"),
    "badge": _("A gold badge on your offers and your profile"),
    "priority_search": _("Your offers come first in search and lists"),
    "lower_fee": _("A lower fee on every sale"),
    "priority_support": _("Your questions and disputes are seen first"),
    "all_premium": _("Everything in Premium"),
    "lowest_fee": _("The lowest fee there is"),
    "fast_payout": _("Payouts within 24 hours"),
    "personal_manager": _("A personal manager"),
    "vip_badge": _("The VIP badge"),
}


def worded(codes: Iterable[object]) -> list[str]:
    """The benefits in the reader's language."""
    return [str(TEXTS.get(str(code), code)) for code in codes]
