"""What a person may say about their plan."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.money import MAX_MINOR
from marketplace.payments.forms import KeyedForm
from marketplace.subscriptions.models import Period

BALANCE = "balance"
LAST_SECOND = 253_402_300_799  # of the year 9999, which is as far as a datetime goes


class CheckoutForm(KeyedForm):
    """How to pay. `price` (minor units) is what the person saw at `quoted_at` (seconds since 1970)."""

    method = forms.ChoiceField(
        label=_("Pay with"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how to pay."),
            "invalid_choice": _("Choose one of the methods shown."),
        },
    )
    period = forms.ChoiceField(choices=Period, widget=forms.HiddenInput)
    price = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=MAX_MINOR)
    quoted_at = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=LAST_SECOND)
    auto_renew = forms.BooleanField(label=_("Renew by itself from my wallet"), required=False, initial=True)

    def __init__(self, *args: Any, methods: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].choices = methods  # type: ignore[attr-defined]

    def clean_quoted_at(self) -> datetime:
        return datetime.fromtimestamp(self.cleaned_data["quoted_at"], tz=UTC)


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=_("Why do you stop?"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It helps us; you need not say."),
    )  # fmt: skip


class RenewalForm(forms.Form):
    """The switch on one's own page."""

    is_on = forms.TypedChoiceField(choices=[("1", "1"), ("0", "0")], coerce=lambda value: value == "1")
