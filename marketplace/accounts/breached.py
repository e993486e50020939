"""Whether a password is one of those that leaked most often, asked offline.

`breached.bin` is a Bloom filter: it knows every password of the list it was made from, and takes about one of a hundred thousand
others for one of them (`false_positives` says how often exactly). scripts/breached_passwords.py makes it; docs/accounts.md says
from which list. Passwords are compared in one spelling, so that capitals and spaces do not hide one.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Self

FILE = Path(__file__).with_name("breached.bin")
_MARK = b"WBF1"
_HEAD = struct.Struct(">4sIII")  # mark, number of passwords, number of bits, signs of each password


def spelling(password: str) -> str:
    """A password without what people change of a known one first: capitals and spaces."""
    return "".join(password.casefold().split())


def is_worth_keeping(spelt: str) -> bool:
    """Whether a password of the list could pass the other rules: a letter and a digit, and not too short even with spaces."""
    has_letter, has_digit = any(map(str.isalpha, spelt)), any(map(str.isdigit, spelt))
    return len(spelt) >= 6 and has_letter and has_digit


class Filter:
    """A set that forgets nothing, and now and then remembers what was never put in."""

    def __init__(self, bits: bytearray | bytes, *, size: int, signs: int, count: int) -> None:
        self.bits, self.size, self.signs, self.count = bits, size, signs, count

    @classmethod
    def of(cls, passwords: Iterable[str], *, bits_each: int = 24, signs: int = 17) -> Self:
        """Made of passwords in one spelling. With 24 bits each, 17 signs err least: once in a hundred thousand."""
        words = sorted(set(passwords))
        size = len(words) * bits_each
        bits = bytearray(-(-size // 8))
        made = cls(bits, size=size, signs=signs, count=len(words))
        for word in words:
            for place in made._places(word):
                bits[place >> 3] |= 1 << (place & 7)
        return made

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Raises ValueError for what is no such file."""
        mark, count, size, signs = _HEAD.unpack_from(data)
        bits = data[_HEAD.size :]
        if mark != _MARK or len(bits) != -(-size // 8):
            raise ValueError("not a list of breached passwords")
        return cls(bits, size=size, signs=signs, count=count)

    def written(self) -> bytes:
        return _HEAD.pack(_MARK, self.count, self.size, self.signs) + bytes(self.bits)

    def __contains__(self, spelt: str) -> bool:
        return all(self.bits[place >> 3] >> (place & 7) & 1 for place in self._places(spelt))

    @property
    def false_positives(self) -> float:
        """How often a password that is not in it is taken for one that is: every sign must meet a bit that is set."""
        filled = sum(byte.bit_count() for byte in self.bits) / self.size
        return float(filled**self.signs)

    def _places(self, spelt: str) -> Iterator[int]:
        # Two halves of one digest make as many signs as are wanted (Kirsch and Mitzenmacher, 2006).
        digest = hashlib.sha256(spelt.encode()).digest()
        first, step = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16]) | 1
        return ((first + number * step) % self.size for number in range(self.signs))


@cache
def known() -> Filter:
    """The list that is shipped, read once a process (1.2 MB)."""
    return Filter.read(FILE.read_bytes())


def is_breached(password: str) -> bool:
    return spelling(password) in known()
