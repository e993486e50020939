"""Who is calling, as far as an address says it."""

import ipaddress
from functools import cache

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address, empty when there is none (a Unix socket).

    Behind a proxy it is the header that the proxy overwrites (settings.REAL_IP_HEADER), believed only when the connection
    comes from where our proxies stand (settings.TRUSTED_PROXIES) or over a Unix socket; otherwise the connection's.
    """
    connection = _address(request.META.get("REMOTE_ADDR", ""))
    header = settings.REAL_IP_HEADER
    if header and (not connection or _is_proxy(connection, tuple(settings.TRUSTED_PROXIES))):
        return _address(request.headers.get(header, "")) or connection
    return connection


def _address(text: str) -> str:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    # A socket for both kinds calls 203.0.113.7 "::ffff:203.0.113.7": one visitor, one name.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


@cache
def _networks(names: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(name) for name in names]


def _is_proxy(address: str, networks: tuple[str, ...]) -> bool:
    return any(ipaddress.ip_address(address) in network for network in _networks(networks))
