"""Card numbers: read, checked, and shown by their last four digits."""

import re
from dataclasses import dataclass, field

from marketplace.payments.errors import BadCard

_NETWORKS = (("8600", "Uzcard"), ("5614", "Uzcard"), ("9860", "Humo"), ("4", "Visa"), ("5", "Mastercard"))


@dataclass(frozen=True, slots=True)
class Card:
    number: str = field(repr=False)
    network: str = ""

    @property
    def last_four(self) -> str:
        return self.number[-4:]


def read(text: str) -> Card:
    """A card of 16 digits as people type it, with spaces or dashes. Raises BadCard for any other and for a typo."""
    number = re.sub(r"[\s\u00a0-]", "", text)
    if not re.fullmatch(r"\d{16}", number, re.ASCII) or not _luhn(number) or len(set(number)) == 1:
        raise BadCard("not a card number")
    network = next((name for prefix, name in _NETWORKS if number.startswith(prefix)), "")
    return Card(number, network)


def _luhn(number: str) -> bool:
    """Every second digit from the right counts double, by its digit sum; the total ends in zero."""
    digits = [int(digit) for digit in reversed(number)]
    return (
        sum(digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(digits))
        % 10
        == 0
    )
