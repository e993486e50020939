"""What a payer types about a card. Nothing of it is kept."""

import re

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.payments import cards
from marketplace.payments.errors import BadCard

_EXPIRY = re.compile(r"(0[1-9]|1[0-2])\s*[/.-]?\s*(\d{2})", re.ASCII)
_LONGEST = 20  # years that a card is valid at most


class CardForm(forms.Form):
    card_number = forms.CharField(
        label=_("Card number"),
        max_length=32,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "cc-number",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    expiry = forms.CharField(
        label=_("Valid until"),
        max_length=9,
        help_text=_("Month and year, as on the card."),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "cc-exp", "spellcheck": "false"}
        ),
    )

    def clean_card_number(self) -> cards.Card:
        try:
            return cards.read(self.cleaned_data["card_number"])
        except BadCard as error:
            raise forms.ValidationError(str(error.message)) from error

    def clean_expiry(self) -> str:
        """YYMM, as the provider wants it."""
        found = _EXPIRY.fullmatch(self.cleaned_data["expiry"].strip())
        if not found:
            raise forms.ValidationError(_("Enter month and year, for example 09/28."))
        month, year = int(found[1]), 2000 + int(found[2])
        today = timezone.localdate()
        if (year, month) < (today.year, today.month) or year > today.year + _LONGEST:
            raise forms.ValidationError(_("This card is no longer valid. Check the date."))
        return f"{found[2]}{found[1]}"


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code from the SMS"),
        max_length=16,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    def clean_code(self) -> str:
        code = re.sub(r"[\s-]", "", self.cleaned_data["code"])
        if not re.fullmatch(r"\d{4,8}", code, re.ASCII):
            raise forms.ValidationError(_("Enter the digits of the code."))
        return code
