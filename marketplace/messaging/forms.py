"""What people may type into a conversation."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.messaging.attachments import Attachment, prepare
from marketplace.messaging.errors import BadAttachment, EmptyMessage
from marketplace.messaging.models import MAX_TEXT, MessageReport


class MessageForm(forms.Form):
    """A message with a file or without; `client_id` makes one that is sent twice be said once."""

    text = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(
            attrs={
                "rows": 1,
                "placeholder": _("Write a message"),
                "enterkeyhint": "send",
                "autocomplete": "off",
            }
        ),
    )
    file = forms.FileField(label=_("Attach a file"), required=False, allow_empty_file=True, max_length=500)
    client_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    anyway = forms.BooleanField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client_id"].initial = uuid.uuid4
        self.fields["file"].widget.attrs["accept"] = (
            "image/jpeg,image/png,image/webp,application/pdf,video/mp4,text/plain"
        )

    def clean_file(self) -> Attachment | None:
        upload = self.cleaned_data["file"]
        try:
            return prepare(upload) if upload else None
        except BadAttachment as error:
            raise forms.ValidationError(str(error.message), code=error.code) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data["text"].strip() and not data["file"]:
            raise forms.ValidationError(str(EmptyMessage.message), code=EmptyMessage.code)
        return data


class EditForm(forms.Form):
    text = forms.CharField(
        label=_("Message"), required=False, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )
    anyway = forms.BooleanField(widget=forms.HiddenInput, required=False)


class ReportForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("What is wrong with it?"), choices=MessageReport.Reason.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=_("Anything we should know"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
