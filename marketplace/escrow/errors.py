"""What a trade refuses."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class TradeNotOpen(DomainError):
    code = "trade_not_open"
    message = _("This trade has moved on in the meantime. The page now shows where it stands.")


class PriceChanged(DomainError):
    code = "price_changed"
    message = _("The price has changed since you opened the page. Look at the new price, then decide.")


class NotHandedOver(DomainError):
    code = "not_handed_over"
    message = _("The seller has not handed the account over yet.")


class NothingToHandOver(DomainError):
    code = "nothing_to_hand_over"
    message = _("Fill in the login and the password first: the buyer will get them from the secure box.")


class RefundTooLarge(DomainError):
    code = "refund_too_large"
    status = 400
    message = _("More than the buyer paid cannot be given back.")


class OwnTrade(DomainError):
    code = "own_trade"
    status = 403
    message = _("Nobody decides about a trade of their own.")


class BoxEmptied(DomainError):
    """Who deletes their account takes along what they had put into secure boxes; their trades were over by then."""

    code, status = "box_emptied", 410
    message = _("The seller has deleted their account, and what the secure box held is gone with it.")
