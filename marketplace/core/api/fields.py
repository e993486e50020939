"""Serializer fields that several apps share."""

import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.core.money import MAX_MINOR, Minor, format_amount, to_decimal, to_minor

_DECIMAL = re.compile(r"-?\d{1,40}(?:\.\d+)?", re.ASCII)


class MoneyField(serializers.Field):
    """An amount: "50000.00" for clients, 5000000 minor units for us.

    Takes a decimal with a point, as a string (best) or a JSON number; hands minor units to the service. Refuses what is no
    plain decimal (exponents, NaN, booleans, spaces, commas), more than two decimals, and what lies outside of `min_value`
    and `max_value` (minor units, both allowed themselves).
    """

    default_error_messages = {
        "not_amount": _('Send a decimal with a point and two decimals, such as "50000.00".'),
        "too_fine": _("An amount has at most two decimals."),
        "too_small": _("Enter at least {limit}."),
        "too_large": _("Enter at most {limit}."),
    }

    def __init__(self, *, min_value: Minor = 1, max_value: Minor = MAX_MINOR, **kwargs: Any) -> None:
        self.min_value, self.max_value = min_value, max_value
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Minor:
        # A boolean is an integer to Python. `repr` of a float is the shortest text that reads back as the same number,
        # which is what the client wrote for every sum below `max_value`.
        if isinstance(data, bool) or not isinstance(data, (str, int, float)):
            self.fail("not_amount")
        text = data if isinstance(data, str) else repr(data)
        if not _DECIMAL.fullmatch(text):
            self.fail("not_amount")
        amount = Decimal(text)
        # Before the units: what is too large is no matter of decimals.
        if amount > to_decimal(self.max_value):
            self.fail("too_large", limit=format_amount(self.max_value))
        if amount < to_decimal(self.min_value):
            self.fail("too_small", limit=format_amount(self.min_value))
        try:
            return to_minor(amount)
        except ValueError:
            self.fail("too_fine")

    def to_representation(self, value: Minor) -> str:
        return str(to_decimal(value))
