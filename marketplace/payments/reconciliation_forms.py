"""What staff hand in to compare a provider's books with ours."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.payments import reconciliation
from marketplace.payments.reconciliation_files import MAX_BYTES


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class StatementForm(forms.Form):
    """A provider, days, and its file; without a file the provider itself is asked, where it can be."""

    provider = forms.ChoiceField(label=_("Provider"))
    first = forms.DateField(label=_("First day"), input_formats=["%Y-%m-%d"], widget=DayInput)
    last = forms.DateField(label=_("Last day"), input_formats=["%Y-%m-%d"], widget=DayInput)
    file = forms.FileField(
        label=_("Statement"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text=_("CSV in UTF-8 with the columns id, time, amount, currency, state, or as the provider writes it."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = [(name, name) for name in reconciliation.names()]  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MAX_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)d MB."), params={"most": MAX_BYTES // 1024**2}
            )
        return file

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("first") and data.get("last"):
            try:
                data["period"] = reconciliation.days(data["first"], data["last"])
            except reconciliation.BadPeriod as error:
                self.add_error("last", str(error.message))
        provider = data.get("provider")
        if provider and "file" in data and not data["file"] and not reconciliation.can_be_asked(provider):
            self.add_error("file", str(reconciliation.NoStatements.message))
        return data

    @property
    def period(self) -> tuple[datetime, datetime]:
        since, until = self.cleaned_data["period"]
        return since, until
