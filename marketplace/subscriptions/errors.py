"""What plans refuse."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class PlanNotAvailable(DomainError):
    code = "plan_not_available"
    message = _("This plan cannot be bought now. Choose another one.")


class AlreadySubscribed(DomainError):
    code = "already_subscribed"
    message = _("You have this plan already.")


class NotSubscribed(DomainError):
    code = "not_subscribed"
    message = _("You have no plan that could be changed.")


class QuoteChanged(DomainError):
    code = "price_changed"
    message = _("The price has changed since you opened the page. Look at the new price, then decide.")


class NothingToPay(DomainError):
    code = "nothing_to_pay"
    message = _("Nothing has to be paid for this change: confirm it from the wallet.")
