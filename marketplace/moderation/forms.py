"""A moderator's decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class RejectForm(forms.Form):
    """Why a listing is not published: one of the usual reasons, and words of one's own."""

    REASONS = [
        ("pictures", _("The pictures do not show this account")),
        ("contacts", _("Contacts stand in the title, the text or a picture")),
        ("price", _("The price is not believable")),
        ("stolen", _("The account seems to belong to somebody else")),
        ("forbidden", _("This may not be sold here")),
        ("other", _("Another reason")),
    ]

    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS)
    words = forms.CharField(
        label=_("What the seller should change"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("reason") == "other" and not cleaned.get("words", "").strip():
            raise ValidationError({"words": _("Say what the reason is: the seller will read it.")})
        return cleaned

    def text(self) -> str:
        """The reason as the seller reads it."""
        words = self.cleaned_data["words"].strip()
        usual = str(dict(self.REASONS)[self.cleaned_data["reason"]])
        if self.cleaned_data["reason"] == "other":
            return words
        return f"{usual}. {words}" if words else usual
