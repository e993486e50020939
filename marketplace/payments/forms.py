"""What a person may type about money."""

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import MoneyField
from marketplace.core.money import Money
from marketplace.payments import cards
from marketplace.payments.errors import BadCard
from marketplace.payments.models import PaymentMethod, Transaction


def new_key() -> str:
    return uuid4().hex


class KeyedForm(forms.Form):
    """A form that moves money carries the key of its movement: sent twice, it acts once."""

    key = forms.RegexField(r"^[0-9a-f]{32}$", initial=new_key, widget=forms.HiddenInput, max_length=32)

    def with_new_key(self) -> None:
        """After a refusal: what the person sends next is another request."""
        self.data = {**self.data.dict(), self.add_prefix("key"): new_key()}  # type: ignore[attr-defined]


class DepositForm(KeyedForm):
    amount = MoneyField(
        label=_("Amount"),
        min_value=settings.DEPOSIT_MIN,
        max_value=settings.DEPOSIT_MAX,
        widget=forms.TextInput,
    )
    method = forms.ModelChoiceField(
        PaymentMethod.objects.none(),
        label=_("How to pay"),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how to pay."),
            "invalid_choice": _("Choose one of the methods shown."),
        },
    )

    def __init__(self, *args: Any, methods: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].queryset = methods  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        amount, method = data.get("amount"), data.get("method")
        if amount and method and not method.min_amount <= amount <= method.max_amount:
            limits = {
                "method": method.name,
                "least": Money(method.min_amount, method.currency),
                "most": Money(method.max_amount, method.currency),
            }
            self.add_error("amount", _("%(method)s takes from %(least)s to %(most)s.") % limits)
        return data


class WithdrawForm(KeyedForm):
    amount = MoneyField(label=_("Amount"), min_value=settings.WITHDRAWAL_MIN)
    card_number = forms.CharField(
        label=_("Card number"),
        max_length=32,
        help_text=_("Uzcard or Humo, 16 digits. It is kept encrypted; we show only the last four."),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "cc-number", "spellcheck": "false"}
        ),
    )

    def clean_card_number(self) -> str:
        try:
            return cards.read(self.cleaned_data["card_number"]).number
        except BadCard as error:
            raise forms.ValidationError(str(error.message)) from error


class HistoryForm(forms.Form):
    """The filters of the history; anything unknown counts as "any"."""

    GROUPS = {
        "sales": (Transaction.Type.SALE, Transaction.Type.COMMISSION),
        "purchases": (Transaction.Type.PURCHASE, Transaction.Type.SUBSCRIPTION),
        "deposits": (Transaction.Type.DEPOSIT,),
        "payouts": (Transaction.Type.WITHDRAWAL,),
        "refunds": (Transaction.Type.REFUND,),
    }
    PERIODS = {"7": 7, "30": 30, "365": 365}

    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any status")), *Transaction.Status.choices]
    )
    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[("", _("All time")), ("7", _("7 days")), ("30", _("30 days")), ("365", _("A year"))],
    )
