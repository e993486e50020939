"""Which country a network address belongs to, asked offline: of its network, which is not where its user sits.

`countries.bin` says for every /24 of IPv4 and every /48 of IPv6 in which country its network is registered, as far as two lists
agree; of the rest it says nothing. scripts/networks_by_country.py makes it; docs/accounts.md says how good it is. The lists
are of the Number Resource Organization (nro.net, CC BY 4.0, by way of ip-location-db) and of the IPFire Project (CC BY-SA 4.0).
"""

import ipaddress
import mmap
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language

FILE = Path(__file__).with_name("countries.bin")
NOBODY = "--"  # whose the gaps are
_MARK = b"WNC1"
_HEAD = struct.Struct(">4sHII")  # mark, number of codes, of parts of IPv4, of parts of IPv6
_BYTES = {4: 3, 6: 6}  # how much of an address is looked at: by /24, by /48

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Data = bytes | memoryview


# --- The list ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """All from `first` to `last`, both of one kind of address. `country`: ISO 3166-1, two letters."""

    first: Address
    last: Address
    country: str


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of address, cut where the country changes: the start of every piece, `width` bytes each, and its owner, one."""

    width: int
    starts: Data
    owners: Data

    def owner(self, place: int) -> int:
        number = bisect_right(range(len(self.owners)), place, key=self._start) - 1
        return self.owners[number] if number >= 0 else 0

    def _start(self, number: int) -> int:
        at = number * self.width
        return int.from_bytes(self.starts[at : at + self.width])


class Networks:
    """Which country has which addresses."""

    def __init__(self, codes: list[str], columns: dict[int, Column]) -> None:
        self.codes, self.columns = codes, columns

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Self:
        """Made of parts in any order. Raises ValueError where one address would be of two."""
        parts = sorted(parts, key=lambda part: (part.first.version, int(part.first)))
        codes = [NOBODY, *sorted({part.country for part in parts})]
        number_of = {code: number for number, code in enumerate(codes)}
        columns = {}
        for version, width in _BYTES.items():
            mine = (part for part in parts if part.first.version == version)
            pieces = list(_pieces(mine, bits=8 * width))
            columns[version] = Column(
                width,
                b"".join(start.to_bytes(width) for start, _code in pieces),
                bytes(number_of[code] for _start, code in pieces),
            )
        return cls(codes, columns)

    @classmethod
    def read(cls, data: Data) -> Self:
        """Raises ValueError for what is no such file."""
        mark, count, *sizes = _HEAD.unpack_from(data)
        if mark != _MARK:
            raise ValueError("not a list of networks by country")
        at = _HEAD.size + 2 * count
        text = bytes(data[_HEAD.size : at]).decode("ascii")
        columns = {}
        for (version, width), size in zip(_BYTES.items(), sizes, strict=True):
            middle, end = at + width * size, at + (width + 1) * size
            columns[version] = Column(width, data[at:middle], data[middle:end])
            at = end
        if at != len(data):
            raise ValueError("a list of networks by country, but not all of it")
        return cls([text[i : i + 2] for i in range(0, len(text), 2)], columns)

    def written(self) -> bytes:
        four, six = self.columns.values()
        head = _HEAD.pack(_MARK, len(self.codes), len(four.owners), len(six.owners))
        words = "".join(self.codes).encode("ascii")
        return b"".join(
            [head, words, *(bytes(part) for one in (four, six) for part in (one.starts, one.owners))]
        )

    def country_of(self, address: Address) -> str:
        """The code; "" where none is known."""
        column = self.columns[address.version]
        code = self.codes[column.owner(int(address) >> (address.max_prefixlen - 8 * column.width))]
        return "" if code == NOBODY else code


def _pieces(parts: Iterable[Part], *, bits: int) -> Iterator[tuple[int, str]]:
    """Where each country begins, and where nobody does, counted in networks of that length."""
    free = 0
    for first, last, code in _merged(parts):
        length = 1 << (32 if bits == 24 else 128) - bits
        start, end = -(-first // length), (last + 1) // length  # those that are of this country as a whole
        if start >= end:
            continue
        if start > free:
            yield free, NOBODY
        yield start, code
        free = end
    if free < 1 << bits:
        yield free, NOBODY


def _merged(parts: Iterable[Part]) -> Iterator[tuple[int, int, str]]:
    """Neighbours of one country as one."""
    first, last, code = 0, -1, NOBODY
    for part in parts:
        begins, ends = int(part.first), int(part.last)
        if begins <= last or ends < begins:
            raise ValueError(f"out of order at {part.first}")
        if part.country == code and begins == last + 1:
            last = ends
            continue
        if code != NOBODY:
            yield first, last, code
        first, last, code = begins, ends, part.country
    if code != NOBODY:
        yield first, last, code


# --- Asking it --------------------------------------------------------------------------------------


@cache
def known() -> Networks:
    """The list that is shipped, opened once a process and never copied: all processes look into the same memory (1.8 MB)."""
    with FILE.open("rb") as file:
        return Networks.read(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


def country_of(address: str | None) -> str:
    """The country (ISO 3166-1, two letters) in which the address's network is registered.

    "" where none is known, and for what is no address of the internet: private ones, reserved ones, none at all.
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    return known().country_of(found) if found.is_global else ""


# --- Saying it --------------------------------------------------------------------------------------


def name_of(country: str) -> str:
    """A country in the active language, as the Unicode consortium has it (CLDR); the code itself where it has no name."""
    language = get_language() or "en"
    return _names(language).get(country, country)


def place_of(address: str | None) -> str:
    """ "Oʻzbekiston · 91.203.174.12", the address alone where its country is not known; "" without one."""
    country = country_of(address)
    return f"{name_of(country)} · {address}" if country else address or ""


@cache
def _names(language: str) -> dict[str, str]:
    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        names = Locale("en").territories
    # CLDR writes some Uzbek names with a quotation mark where the letters oʻ and gʻ have their own.
    return {code: name.replace("‘", "ʻ") if language == "uz" else name for code, name in names.items()}
