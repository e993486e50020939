"""The frame of the desks of money: each shows the way to those that the reader may use."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.accounts.models import User


def frame(user: User, here: str, *, count: int = 0) -> dict[str, Any]:
    """The context of console.html. `here` is the URL name of the desk, `count` what waits there."""
    desks = (
        ("payments:desk", "payments.settle_withdrawal", "landmark", _("Payouts")),
        ("payments:desk-payments", "payments.refund_payment", "undo-2", _("Refunds")),
        ("payments:reconciliation", "payments.view_transaction", "scale", _("Reconciliation")),
    )
    nav = [
        {
            "icon": icon,
            "label": label,
            "url": reverse(name),
            "here": name == here,
            "count": count if name == here else 0,
        }
        for name, permission, icon, label in desks
        if user.has_perm(permission)
    ]
    return {"area": _("Payments"), "console_nav": nav}
