"""What a person may type about money."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.forms import ConfirmationForm
from marketplace.core.forms import MoneyField
from marketplace.core.money import Money
from marketplace.payments import cards as cards_
from marketplace.payments.errors import BadCard, BankCodeNeeded
from marketplace.payments.models import PaymentMethod, PayoutCard, Transaction


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

    def __init__(self, *args: Any, methods: Any, currency: str = "UZS", **kwargs: Any) -> None:
        """`methods` are those of one currency: their limits bound the amount, in soʻm the shop's own as well."""
        super().__init__(*args, **kwargs)
        self.fields["method"].queryset = methods  # type: ignore[attr-defined]
        amount = self.fields["amount"]
        if currency != "UZS" and methods:
            amount.min_value = min(method.min_amount for method in methods)  # type: ignore[attr-defined]
            amount.max_value = max(method.max_amount for method in methods)  # type: ignore[attr-defined]

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


class WithdrawForm(KeyedForm, ConfirmationForm):
    """An amount, a saved card or a new number; and who asks, by their second factor if they have one."""

    NEW = "new"

    amount = MoneyField(label=_("Amount"))
    card = forms.ChoiceField(
        label=_("Where to"),
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": _("Choose one of the cards shown, or a new one.")},
    )
    card_number = forms.CharField(
        label=_("Card or account number"),
        required=False,
        max_length=48,
        help_text=_(
            "A card of 16 digits, or an account of 20. It is kept encrypted; we show only the last four."
        ),
        widget=forms.TextInput(
            attrs={"inputmode": "text", "autocomplete": "cc-number", "spellcheck": "false"}
        ),
    )
    bank_code = forms.CharField(
        label=_("Bank’s MFO"),
        required=False,
        max_length=12,
        help_text=_("Five digits, for an account only."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,
        request: HttpRequest,
        cards: list[PayoutCard],
        currency: str = "UZS",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, request=request, by_factor=True, **kwargs)
        self.saved = {str(card.pk): card for card in cards}
        least, most = settings.WITHDRAWAL_LIMITS[currency]
        self.fields["amount"].min_value, self.fields["amount"].max_value = least, most  # type: ignore[attr-defined]
        self.fields["card"].choices = [*self.saved.items(), (self.NEW, _("Another card or account"))]  # type: ignore[attr-defined]
        self.fields["card"].initial = next(iter(self.saved), self.NEW)
        if "password" in self.fields:
            self.fields["password"].label = _("Your password")
            self.fields["password"].help_text = _(
                "Asked again, so that nobody else can take your money from this device."
            )

    def clean(self) -> dict[str, Any]:
        """`number` and `mfo` of where the money goes."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if card := self.saved.get(data.get("card", "")):
            data["number"], data["mfo"] = card.number, card.bank_code
            return data
        if self.errors.get("card"):
            return data
        try:
            read = cards_.read(data.get("card_number", ""), data.get("bank_code", ""))
        except BankCodeNeeded as error:
            self.add_error("bank_code", str(error.message))
        except BadCard as error:
            self.add_error("card_number", str(error.message))
        else:
            data["number"], data["mfo"] = read.number, read.bank_code
        return data


class SendForm(forms.Form):
    """The payout desk: the bank has sent it."""

    number = forms.CharField(
        label=_("The bank’s number of the transfer"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class FailForm(forms.Form):
    """The payout desk: it could not be sent, and why."""

    reason = forms.CharField(
        label=_("Reason, in words for the person"),
        max_length=200,
        error_messages={"required": _("Write the reason: the person will read it.")},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AnyChoice(forms.ChoiceField):
    """A filter: what is not offered counts as "any"."""

    def clean(self, value: Any) -> str:
        try:
            return str(super().clean(value))
        except forms.ValidationError:
            return ""


class HistoryForm(forms.Form):
    """The filters of the history. An unknown choice counts as "any"; a wrong date is said beside it."""

    GROUPS = {
        "sales": (Transaction.Type.SALE, Transaction.Type.COMMISSION),
        "purchases": (Transaction.Type.PURCHASE, Transaction.Type.SUBSCRIPTION),
        "deposits": (Transaction.Type.DEPOSIT,),
        "payouts": (Transaction.Type.WITHDRAWAL,),
        "refunds": (Transaction.Type.REFUND,),
    }
    PERIODS = {"7": 7, "30": 30, "365": 365}
    field_order = ("type", "q", "status", "period")
    FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)

    type = AnyChoice(
        required=False, choices=[("", ""), *((name, name) for name in GROUPS)], widget=forms.HiddenInput
    )
    status = AnyChoice(
        label=_("Status"), required=False, choices=[("", _("Any status")), *Transaction.Status.choices]
    )
    period = AnyChoice(
        label=_("Period"),
        required=False,
        choices=[("", _("All time")), ("7", _("7 days")), ("30", _("30 days")), ("365", _("A year"))],
    )
    q = forms.CharField(
        label=_("Number or text"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (
            ("from", _("From the day")),
            ("to", _("To the day")),
        ):  # words of the address, one of them Python's
            self.fields[name] = forms.DateField(
                label=label,
                required=False,
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
                error_messages={"invalid": _("Write the date as 2026-03-20.")},
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = data.get("from"), data.get("to")
        for name in ("from", "to"):
            if data.get(name) and not self.FIRST_DAY <= data[name] <= self.LAST_DAY:
                self.add_error(name, _("No such day in our books."))
        if first and last and last < first:
            self.add_error("to", _("The period ends before it begins."))
        return data

    @property
    def is_used(self) -> bool:
        """Whether the reader has narrowed the history."""
        return bool(self.errors) or any(self.cleaned_data.values())

    def criteria(self, *, at: datetime) -> dict[str, Any]:
        """The chosen filters as `selectors.found` takes them, days being those of the current time zone."""
        data = self.cleaned_data if self.is_valid() else {}
        zone = timezone.get_current_timezone()
        first, last, days = data.get("from"), data.get("to"), self.PERIODS.get(data.get("period", ""))
        starts = [datetime.combine(first, time.min, zone)] if first else []
        starts += [at - timedelta(days=days)] if days else []
        return {
            "types": self.GROUPS.get(data.get("type", ""), ()),
            "status": data.get("status", ""),
            "since": max(starts, default=None),
            "until": datetime.combine(last + timedelta(days=1), time.min, zone) if last else None,
            "text": data.get("q", ""),
        }
