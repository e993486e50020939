"""Form fields that several apps share."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core.money import MAX_MINOR, Minor, format_amount, to_decimal, to_minor

_SPACES = re.compile(r"[\s\u00a0\u202f'’]")


def posted(request: HttpRequest) -> dict[str, Any]:
    """What binds a form: all that was posted, even when that is nothing; without a POST the form stays empty."""
    return {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}


class MoneyField(forms.CharField):
    """An amount as people type it ("150 000", "150000.50", "150 000,50"), cleaned to minor units."""

    default_error_messages = {
        "not_amount": _("Enter an amount in digits, for example 150 000."),
        "too_fine": _("An amount has at most two decimals."),
        "too_small": _("Enter at least %(limit)s."),
        "too_large": _("Enter at most %(limit)s."),
    }

    def __init__(self, *, min_value: Minor = 1, max_value: Minor = MAX_MINOR, **kwargs: Any) -> None:
        self.min_value, self.max_value = min_value, max_value
        super().__init__(max_length=32, **kwargs)
        self.widget.attrs.setdefault("inputmode", "decimal")
        self.widget.attrs.setdefault("autocomplete", "off")

    def clean(self, value: Any) -> Minor | None:
        text = _SPACES.sub("", super().clean(value) or "")
        if not text:
            return None
        # "1,50" is one and a half here: both signs part decimals, spaces part thousands.
        if not re.fullmatch(r"\d{1,15}([.,]\d+)?", text, re.ASCII):
            raise ValidationError(self.error_messages["not_amount"], code="not_amount")
        try:
            minor = to_minor(Decimal(text.replace(",", ".")))
        except (InvalidOperation, ValueError):
            raise ValidationError(self.error_messages["too_fine"], code="too_fine") from None
        for code, wrong, limit in (
            ("too_small", minor < self.min_value, self.min_value),
            ("too_large", minor > self.max_value, self.max_value),
        ):
            if wrong:
                raise ValidationError(
                    self.error_messages[code], code=code, params={"limit": format_amount(limit)}
                )
        return minor

    def prepare_value(self, value: Any) -> Any:
        return str(to_decimal(value)).removesuffix(".00") if isinstance(value, int) else value
