"""Card and account numbers: read, checked, and shown by their last four signs."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from django.conf import settings

from marketplace.payments.errors import BadCard, BankCodeNeeded

CARD, ACCOUNT = "card", "account"
# First digits of the networks that payouts can go to (ISO/IEC 7812; the local ones as their banks print them).
_NETWORKS = (
    ("Uzcard", r"8600|5614"),
    ("Humo", r"9860"),
    ("Visa", r"4"),
    ("Mastercard", r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A card, or an account with its bank's code."""

    number: str = field(repr=False)
    network: str = ""
    kind: str = CARD
    bank_code: str = ""

    @property
    def last_four(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same number has the same one; without our key nobody finds the number by it."""
        text = f"payout:{self.number}:{self.bank_code}".encode()
        return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()


def read(text: str, bank_code: str = "") -> Card:
    """A number as people type it, with spaces or dashes: a card of 16 digits, an Uzbek account of 20 digits with its
    bank's MFO, or a Kazakh IBAN.

    Raises BadCard for any other and for a typo, BankCodeNeeded for an account without its MFO.
    """
    number = re.sub(r"[\s\u00a0-]", "", text).upper()
    if re.fullmatch(r"KZ\d{2}[0-9A-Z]{16}", number, re.ASCII):
        return _iban(number)
    if re.fullmatch(r"\d{20}", number, re.ASCII) and len(set(number)) > 1:
        code = re.sub(r"\s", "", bank_code)
        if not re.fullmatch(r"\d{5}", code, re.ASCII):
            raise BankCodeNeeded("no MFO")
        return Card(number, "", ACCOUNT, code)
    if not re.fullmatch(r"\d{16}", number, re.ASCII) or not _luhn(number) or len(set(number)) == 1:
        raise BadCard("not a card number")
    network = next((name for name, start in _NETWORKS if re.match(start, number)), "")
    if not network:
        raise BadCard("no network starts so")
    return Card(number, network)


def _luhn(number: str) -> bool:
    """Every second digit from the right counts double, by its digit sum; the total ends in zero."""
    digits = [int(digit) for digit in reversed(number)]
    return (
        sum(digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(digits))
        % 10
        == 0
    )


def _iban(number: str) -> Card:
    """ISO 13616: the first four signs moved to the end, letters as numbers from 10, the rest by 97 is 1."""
    moved = number[4:] + number[:4]
    if int("".join(str(int(sign, 36)) for sign in moved)) % 97 != 1:
        raise BadCard("not an IBAN")
    return Card(number, "IBAN", ACCOUNT)
