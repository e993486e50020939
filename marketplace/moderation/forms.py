"""A moderator's decision against publishing, with its reason."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import MoneyField
from marketplace.payments.forms import KeyedForm


class DecisionForm(forms.Form):
    """Why a listing is not published: one of the usual reasons, and words of one's own."""

    REASONS: ClassVar[list[tuple[str, str | Promise]]]

    reason = forms.ChoiceField(label=_("Reason"))
    words = forms.CharField(
        label=_("Message to the seller"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None) -> None:
        # Two of them stand on one page.
        super().__init__(data, auto_id=f"id_{type(self).__name__.removesuffix('Form').lower()}_%s")
        self.fields["reason"].choices = self.REASONS  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("reason") == "other" and not cleaned.get("words", "").strip():
            raise ValidationError({"words": _("Say what the reason is: the seller will read it.")})
        return cleaned

    def text(self) -> str:
        """The reason as the seller reads it."""
        words: str = self.cleaned_data["words"].strip()
        if self.cleaned_data["reason"] == "other":
            return words
        usual = str(dict(self.REASONS)[self.cleaned_data["reason"]])
        return f"{usual}. {words}" if words else usual


class ChangesForm(DecisionForm):
    """What the seller can mend."""

    REASONS = [
        ("pictures", _("The pictures do not show this account")),
        ("contacts", _("Contacts stand in the title, the text or a picture")),
        ("price", _("The price is not believable")),
        ("text", _("The description does not say enough")),
        ("other", _("Another reason")),
    ]


class RejectForm(DecisionForm):
    """What nobody can mend."""

    REASONS = [
        ("stolen", _("The account seems to belong to somebody else")),
        ("forbidden", _("This may not be sold here")),
        ("twice", _("The same account is offered already")),
        ("other", _("Another reason")),
    ]


class RefundForm(KeyedForm):
    """How much of a trade's price goes back to the buyer, and why."""

    amount = MoneyField(label=_("Amount for the buyer"))
    reason = forms.CharField(
        label=_("Reason, in words for both sides"),
        max_length=200,
        error_messages={"required": _("Write the reason: both sides will read it.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class OrganizerRejectForm(forms.Form):
    """Why somebody may not hold events."""

    reason = forms.CharField(
        label=_("Reason, as they will read it"),
        max_length=500,
        error_messages={"required": _("Write the reason: the applicant will read it.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None, *, key: object) -> None:
        # Several of them stand on one page.
        super().__init__(data, auto_id=f"id_{key}_%s")
