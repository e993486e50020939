"""Makes marketplace/core/countries.bin from two lists of ranges: only what both say the same of is kept.

    npm pack @ip-location-db/asn-country@2.3.2026061719 && tar xzf ip-location-db-asn-country-2.3.2026061719.tgz
    apt-get download tor-geoipdb && dpkg -x tor-geoipdb_0.4.9.11-0+deb12u1_all.deb tor
    python scripts/networks_by_country.py package/asn-country-ipv4.csv package/asn-country-ipv6.csv \
        and tor/usr/share/tor/geoip tor/usr/share/tor/geoip6

A line is "first address,last address,country"; addresses of IPv4 may be plain numbers. The lists are of June 2026: what the five
regional registries say of networks and of those who announce them, put together by ip-location-db (its package.json says CC0-1.0,
its README CC BY 4.0 of the Number Resource Organization: we keep to the stricter), and that of the IPFire project (CC BY-SA 4.0).
docs/accounts.md names both and says how good they are. The same lists give the same file, byte for byte.
"""

import csv
import hashlib
import ipaddress
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from marketplace.core.countries import FILE, Networks, Part

_NOBODY = "??"
_SEPARATOR = "and"


def main(names: list[str]) -> None:
    at = names.index(_SEPARATOR)
    ours, others = ([Path(one) for one in some] for some in (names[:at], names[at + 1 :]))
    parts = list(_agreed(_list(ours), _list(others)))
    made = Networks.of(parts)
    data = made.written()
    FILE.write_bytes(data)
    for source in (*ours, *others):
        print(f"{source.name}: SHA-256 {hashlib.sha256(source.read_bytes()).hexdigest()}")
    pieces = sum(len(column.owners) for column in made.columns.values())
    print(f"{len(parts)} ranges of {len(made.codes) - 1} countries, cut into {pieces} pieces")
    print(f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


def _list(sources: Iterable[Path]) -> list[Part]:
    """Sorted, without those that belong to no country."""
    parts = [part for source in sources for part in _read(source)]
    return sorted(parts, key=lambda part: (part.first.version, int(part.first)))


def _read(source: Path) -> Iterator[Part]:
    with source.open(newline="", encoding="ascii") as file:
        lines = (line for line in file if not line.startswith("#"))
        for first, last, country in csv.reader(lines):
            if country != _NOBODY:
                yield Part(_address(first), _address(last), country)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(int(text)) if text.isdecimal() else ipaddress.ip_address(text)


def _agreed(ours: list[Part], others: list[Part]) -> Iterator[Part]:
    """What lies in a range of both that names the same country."""
    one = other = 0
    while one < len(ours) and other < len(others):
        mine, theirs = ours[one], others[other]
        if mine.first.version == theirs.first.version:
            first, last = max(mine.first, theirs.first), min(mine.last, theirs.last)
            if first <= last and mine.country == theirs.country:
                yield Part(first, last, mine.country)
        if (mine.last.version, int(mine.last)) < (theirs.last.version, int(theirs.last)):
            one += 1
        else:
            other += 1


if __name__ == "__main__":
    main(sys.argv[1:])
