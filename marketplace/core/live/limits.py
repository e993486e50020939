"""How much one process keeps open: in all, for visitors, for one person and for one network.

Counted in this process, whose memory it protects; nginx bounds an address over all processes (deploy/nginx.conf).
"""

import ipaddress
from collections import Counter

from django.conf import settings

from marketplace.core.live.reader import Reader

_open: Counter[str] = Counter()
_ALL, _VISITORS = "all", "visitors"


def places_taken(reader: Reader) -> dict[str, int]:
    """The bounds this reader counts towards, with the most that each may hold."""
    if reader.is_signed_in:
        return {_ALL: settings.LIVE_MAX, f"person:{reader.user.pk}": settings.LIVE_MAX_PER_PERSON}
    return {
        _ALL: settings.LIVE_MAX,
        _VISITORS: settings.LIVE_MAX_VISITORS,
        f"network:{network(reader.address)}": settings.LIVE_MAX_PER_ADDRESS,
    }


def enter(reader: Reader) -> str:
    """Take a place. Returns "" or which bound is reached: "all", "visitors", "person" or "network"."""
    places = places_taken(reader)
    for name, most in places.items():
        if _open[name] >= most:
            return name.partition(":")[0]
    _open.update(places.keys())
    return ""


def leave(reader: Reader) -> None:
    """Give the place back."""
    for name in places_taken(reader):
        _open[name] -= 1
        if _open[name] <= 0:
            del _open[name]


def count() -> dict[str, int]:
    """How many are open in this process: "all", and "visitors" among them."""
    return {name: _open[name] for name in (_ALL, _VISITORS)}


def network(address: str) -> str:
    """What one household is given: an IPv4 address, or the /64 around an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
