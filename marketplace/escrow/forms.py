"""What the two sides may type."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.escrow.models import Dispute

BALANCE = "balance"


class BuyForm(forms.Form):
    """How to pay; `key` makes a form that is sent twice buy once, `price` (minor units) is what the buyer saw."""

    method = forms.ChoiceField(label=_("Pay with"), widget=forms.RadioSelect)
    key = forms.UUIDField(widget=forms.HiddenInput)
    price = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, methods: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].choices = methods  # type: ignore[attr-defined]
        self.fields["key"].initial = uuid.uuid4


class HandOverForm(forms.Form):
    """Login details for the secure box. What is left empty stays as it is there; nothing is ever shown back."""

    login = forms.CharField(
        label=_("Login"),
        required=False,
        max_length=254,
        help_text=_("E-mail, phone or name to sign in with. Empty: as you gave it."),
    )
    password = forms.CharField(
        label=_("Password"), required=False, max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}), help_text=_("Empty: as you gave it."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note for the buyer"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Second factor, recovery address, what to change first."),
    )  # fmt: skip


class DisputeForm(forms.Form):
    reason = forms.ChoiceField(label=_("What went wrong?"), choices=Dispute.Reason)
    statement = forms.CharField(
        label=_("Tell us what happened"), max_length=4000, min_length=20, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What you tried, and when. The other side and the moderator will read it."),
    )  # fmt: skip
