"""Makes marketplace/core/countries.bin from lists of ranges, "first address,last address,country" a line.

    npm pack @ip-location-db/asn-country@2.3.2026061719 && tar xzf ip-location-db-asn-country-2.3.2026061719.tgz
    python scripts/networks_by_country.py package/asn-country-ipv4.csv package/asn-country-ipv6.csv

The list is of 17 June 2026: what the five regional registries say of networks and of those who announce them, put together by
ip-location-db (github.com/sapics/ip-location-db). Its package.json says CC0-1.0; its README and the licence beside it say
CC BY 4.0 of the Number Resource Organization, which asks to be named: nro.net. We keep to the stricter. docs/accounts.md says
how good the list is. The same lists give the same file, byte for byte.
"""

import csv
import hashlib
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from marketplace.core.countries import FILE, Networks, Part


def main(sources: list[Path]) -> None:
    parts = [part for source in sources for part in _read(source)]
    made = Networks.of(parts)
    data = made.written()
    FILE.write_bytes(data)
    for source in sources:
        print(f"{source.name}: SHA-256 {hashlib.sha256(source.read_bytes()).hexdigest()}")
    pieces = sum(len(column.owners) for column in made.columns.values())
    print(f"{len(parts)} ranges of {len(made.codes) - 1} countries, cut into {pieces} pieces")
    print(f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


def _read(source: Path) -> Iterator[Part]:
    with source.open(newline="", encoding="ascii") as file:
        for first, last, country in csv.reader(file):
            yield Part(ipaddress.ip_address(first), ipaddress.ip_address(last), country)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
