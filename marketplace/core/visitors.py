"""Who is calling, as far as an address says it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address, empty when there is none (a Unix socket).

    Behind a proxy it is the header that the proxy overwrites (settings.REAL_IP_HEADER); otherwise the connection's.
    """
    header = settings.REAL_IP_HEADER
    text = request.headers.get(header, "") if header else ""
    for candidate in (text, request.META.get("REMOTE_ADDR", "")):
        try:
            return str(ipaddress.ip_address(candidate.strip()))
        except ValueError:
            continue
    return ""
