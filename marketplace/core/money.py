"""Money in whole minor units. Forms and the API are the only crossing to decimals."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

type Minor = int
"""Whole minor units: 1 soʻm = 100 tiyin, 1 tenge = 100 tiyn, 1 dollar = 100 cents."""

MINOR_PER_MAJOR = 100
BASIS_POINTS = 10_000
# The largest sum a column, a form or an API client may carry: ten times the wealth of the country is not a price.
MAX_MINOR: Minor = 10**15

_NBSP = "\u00a0"
_MINUS = "\u2212"


class Currency(models.TextChoices):
    UZS = "UZS", _("Uzbek soʻm")
    KZT = "KZT", _("Kazakh tenge")
    USD = "USD", _("US dollar")


_UNITS = {"UZS": _("soʻm"), "KZT": "₸", "USD": "$"}


def unit(currency: str) -> str:
    """The word or sign behind an amount, in the reader's language."""
    return str(_UNITS[currency])


class Money(NamedTuple):
    """An amount with its currency, for the places where both travel together. Reads as people write it."""

    amount: Minor
    currency: str = "UZS"

    def __str__(self) -> str:
        return f"{format_amount(self.amount)}{_NBSP}{unit(self.currency)}"


def to_minor(amount: Decimal) -> Minor:
    """Turn a decimal of major units into minor units. Raises ValueError when it is finer than that, or no number."""
    try:
        minor = amount * MINOR_PER_MAJOR
        whole = int(minor)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise ValueError("not an amount") from error
    if abs(whole) > MAX_MINOR:
        raise ValueError("larger than any sum")
    if minor != whole:
        raise ValueError("finer than the smallest unit")
    return whole


def to_decimal(minor: Minor) -> Decimal:
    """Major units with two decimals, as clients see them: 15000000 -> Decimal("150000.00")."""
    return (Decimal(minor) / MINOR_PER_MAJOR).quantize(Decimal("0.01"))


def format_amount(minor: Minor) -> str:
    """An amount as people read it: no-break spaces between thousands, decimals only when there are any."""
    whole, rest = divmod(abs(minor), MINOR_PER_MAJOR)
    text = f"{whole:,}".replace(",", _NBSP)
    if rest:
        text += f",{rest:02d}"
    return _MINUS + text if minor < 0 else text


def share(amount: Minor, basis_points: int) -> Minor:
    """That part of an amount, rounded half up to a whole minor unit: share(1050, 1000) == 105."""
    return int((Decimal(amount) * basis_points / BASIS_POINTS).to_integral_value(rounding=ROUND_HALF_UP))
