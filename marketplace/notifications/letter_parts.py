"""What a notification's mail shows beside its words: which template, which facts, how far the trade is."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.core.countries import place_of

# By the first word of the kind; a whole kind goes before it.
_TEMPLATES = {
    "listing_approved": "listing_approved",
    "listing_changes_asked": "listing_rejected",
    "listing_rejected": "listing_rejected",
    "listing_blocked": "listing_rejected",
    "trade": "trade_step",
    "purchase": "trade_step",
    "sale": "trade_step",
    "plan_ending": "subscription_expiring",
    "plan_renewal_soon": "subscription_expiring",
    "plan_renewal_short": "subscription_expiring",
    "plan_payment_late": "subscription_expiring",
    "new_sign_in": "new_sign_in",
}
_LABELS: dict[str, str | Promise] = {
    "title": _("Listing"),
    "plan": _("Plan"),
    "amount": _("Amount"),
    "part": _("Refunded"),
    "fee": _("Fee"),
    "missing": _("Missing"),
    "seller": _("Seller"),
    "buyer": _("Buyer"),
    "deadline": _("Deadline"),
    "reason": _("Reason"),
    "device": _("Device"),
    "time": _("Time"),
    "place": _("Place"),
}
STEPS = (_("Paid"), _("Handed over"), _("Received"), _("Seller paid"))
# How many of the steps are done.
_DONE = {
    "trade_started": 0,
    "trade_paid": 1,
    "purchase_paid": 1,
    "purchase_handed_over": 2,
    "trade_accepted": 3,
    "purchase_accepted": 3,
    "trade_confirmed": 4,
    "purchase_confirmed": 4,
}


def template_of(kind: str) -> str:
    return _TEMPLATES.get(kind) or _TEMPLATES.get(kind.split("_", 1)[0]) or "notification"


def facts_of(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of what the notification was told with, in the active language."""
    if network := data.get("network"):  # its place was written in the language of that moment
        data = {**data, "place": place_of(str(network))}
    return [(str(label), str(data[name])) for name, label in _LABELS.items() if data.get(name)]


def step_of(kind: str) -> list[dict[str, Any]]:
    """The steps of a trade with `done`; nothing for kinds that are no step of a trade that goes well."""
    if kind not in _DONE:
        return []
    return [{"label": str(label), "done": place < _DONE[kind]} for place, label in enumerate(STEPS)]
