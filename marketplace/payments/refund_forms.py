"""What staff type at the refund desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import MoneyField
from marketplace.payments import refund_desk
from marketplace.payments.forms import AnyChoice, KeyedForm
from marketplace.payments.models import Transaction


class SearchForm(forms.Form):
    """Which payments: a number or an address, and a state. An unknown state counts as "any"."""

    q = forms.CharField(
        label=_("Number, provider’s number or e-mail"),
        required=False,
        max_length=128,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    state = AnyChoice(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            *Transaction.Status.choices,
            (refund_desk.REFUNDED, _("Refunded, all or a part")),
        ],
    )


def _reason(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=200,
        error_messages={"required": _("Write the reason: it is kept with your name.")},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DepositRefundForm(KeyedForm):
    """How much of a payment goes back to its payer, and why."""

    amount = MoneyField(label=_("Amount for the payer"))
    reason = _reason(_("Reason"))


class MadeForm(forms.Form):
    """The provider's cabinet shows the refund: under this number."""

    number = forms.CharField(
        label=_("The provider’s number of the refund"),
        max_length=128,
        error_messages={
            "required": _("Write the number: by it we know the refund when the provider tells of it.")
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = _reason(_("How you know"))


class NotMadeForm(forms.Form):
    """The provider's cabinet shows none."""

    reason = _reason(_("How you know"))
