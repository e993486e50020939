"""Whom the application may talk to: `settings.OUTBOUND` names them, and everybody else is refused (ASVS 13.2.4, 13.2.5).

`core.http` asks before each call and connects by `connect`. For libraries that open connections themselves `stand_guard` asks,
in Python's audit events; what C code opens (libpq, uvloop) raises none. Why so: docs/decisions/0011-who-is-talked-to.md.
"""

import logging
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

logger = logging.getLogger(__name__)

type Address = IPv4Address | IPv6Address

_PORTS = {
    "http": 80, "https": 443, "redis": 6379, "rediss": 6379, "sentinel": 26379, "amqp": 5672, "amqps": 5671,
    "pyamqp": 5672, "postgres": 5432, "postgresql": 5432, "syslog+tls": 6514,
}  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address stands in the last four bytes
_TELL_AGAIN = 60  # seconds: who is refused again and again fills no log


class NotAllowed(OSError):
    """A connection to somebody who is not on the list. An OSError, so that whoever calls takes it for a failed connection."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody the application may talk to.

    `who`: as docs/security.md names it. `scheme`: of calls by `core.http`, empty for any. `host`: a name or an address, in lower
    case. `port`: None for any. `is_ours`: it may lie at an address that the internet does not know.
    """

    who: str
    scheme: str
    host: str
    port: int | None
    is_ours: bool = False


def place(who: str, url: str, *, is_ours: bool = False) -> Place:
    """The place of a URL with a host. Raises ValueError, without the URL: it may hold a password."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        scheme, host, port = "", None, None
    if not host or port is None:
        raise ValueError(f"{who}: not an address with a host and a port")
    return Place(who, scheme, host.rstrip("."), port, is_ours)


def named_by_operator(who: str, entry: str) -> Place:
    """The place of `host`, `host:port` or `host:*`; 443 without a port. Raises ValueError."""
    is_any_port = entry.endswith(":*")
    try:
        parts = urlsplit(f"//{entry.removesuffix(':*')}")
        host, number = parts.hostname, None if is_any_port else parts.port or 443
    except ValueError:
        host, number = None, None
    if not host or not set(entry.removesuffix(":*")).isdisjoint("*/@ "):
        raise ValueError(f"{entry!r} is not host, host:port or host:*")
    # Somebody wrote it down for this machine: where it lies is theirs to say.
    return Place(who, "", host.rstrip("."), number, is_ours=True)


# --- The door -------------------------------------------------------------------------------------


def check(scheme: str, host: str, port: int) -> None:
    """Raises NotAllowed unless calls of that scheme go there."""
    if not any(one.scheme in ("", scheme) for one in _named(host, port)):
        raise _refusal(host, port, f"no {scheme}:// address of the settings")


def connect(address: tuple[str, int], timeout: Any = None, source_address: Any = None) -> socket.socket:
    """As socket.create_connection, to somebody on the list, and to an address that was looked at: the name is asked for once.

    Raises NotAllowed when the host is not on the list, or its name leads to an internal address that it may not lie at.
    """
    host, port = address
    places = _named(host, port)
    if not places:
        raise _refusal(host, port, "not named by any setting")
    found = [str(info[4][0]) for info in socket.getaddrinfo(_bare(host), port, 0, socket.SOCK_STREAM)]
    fit = [one for one in dict.fromkeys(found) if _fits(one, places)]
    if not fit:
        raise _refusal(host, port, f"its name leads to {', '.join(dict.fromkeys(found))}")
    failed: OSError | None = None
    for one in fit:
        try:
            return socket.create_connection((one, port), timeout, source_address)
        except OSError as error:
            failed = error
    raise failed or OSError(f"no address of {host}")


def _named(host: str, port: int | None) -> list[Place]:
    name = _bare(host)
    return [one for one in settings.OUTBOUND if one.host == name and one.port in (None, port)]


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _fits(address: str, places: Iterable[Place]) -> bool:
    """Whether one of these places may lie at this address."""
    ip = _plain(address)
    return any(ip == _literal(one.host) or _may_lie_at(one, ip) for one in places)


def _may_lie_at(one: Place, ip: Address) -> bool:
    if _literal(one.host) is not None or ip.is_link_local or ip.is_unspecified or ip.is_multicast:
        return False
    # A name without a dot is nobody's on the internet: a container's, or this machine's.
    return ip.is_global or one.is_ours or "." not in one.host


def _literal(host: str) -> Address | None:
    try:
        return _plain(host)
    except ValueError:
        return None


def _plain(address: str) -> Address:
    """An IPv4 address in IPv6 clothes is judged as what it is. Raises ValueError for names."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


_told: dict[tuple[str, Any], float] = {}


def _refusal(host: str, port: Any, why: str, *, told: str = "refused") -> NotAllowed:
    now = time.monotonic()
    if now - _told.get((host, port), -_TELL_AGAIN) >= _TELL_AGAIN:
        if len(_told) > 1000:
            _told.clear()
        _told[host, port] = now
        logger.error(
            "%s to talk to %s port %s: %s (docs/operations.md, Who is talked to)", told, host, port, why
        )
    return NotAllowed(f"{host}:{port} is not talked to: {why}")


# --- The guard of the process ----------------------------------------------------------------------

_CONNECTIONS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_NAMES = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_MOST = 4096

_resolve = socket.getaddrinfo
_own_names: set[str] = set()
# Which names of the list led to an address, newest last.
_led_to: dict[Address, set[str]] = {}
_is_standing = False


def stand_guard() -> None:
    """From now on nothing in this process connects to, or asks for the name of, anybody who is not on the list.

    It cannot be undone (PEP 578). With OUTBOUND_GUARD "tell" it only says what it would refuse.
    """
    global _is_standing
    if not _is_standing:
        _is_standing = True
        _own_names.update({"localhost", _bare(socket.gethostname())})
        socket.getaddrinfo = _remembered
        sys.addaudithook(_hear)


def _remembered(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    """socket.getaddrinfo, and what it found: connections are made to addresses, and those must have a name on the list."""
    found = _resolve(host, port, *args, **kwargs)
    name = _text(host)
    if name and _literal(name) is None:
        for info in found:
            if info[0] in (socket.AF_INET, socket.AF_INET6):
                ip = _plain(str(info[4][0]))
                names = _led_to.pop(ip, set()) | {name}
                _led_to[ip] = names
        while len(_led_to) > _MOST:
            _led_to.pop(next(iter(_led_to)), None)
    return found


def _hear(event: str, args: tuple[Any, ...]) -> None:
    """Of every audit event of the process: this line is all that most of them cost."""
    if event in _CONNECTIONS:
        _hear_connection(args[0], args[1])
    elif event in _NAMES:
        _hear_name(_text(args[0]))


def _hear_connection(sock: Any, address: Any) -> None:
    if not isinstance(address, tuple) or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return  # a Unix socket, or one that is connected already
    host, port = _text(address[0]), address[1]
    ip = _literal(host)
    if ip is None:
        is_fit = bool(_named(host, port))
    else:
        names = {str(ip), *_led_to.get(ip, ())}
        is_fit = _fits(str(ip), [one for name in names for one in _named(name, port)])
    if not is_fit:
        _refuse(host, port, "not the address of anybody a setting names")


def _hear_name(name: str) -> None:
    is_fit = not name or name in _own_names or any(one.host == name for one in settings.OUTBOUND)
    if not is_fit and _literal(name) is None:
        _refuse(name, "-", "not named by any setting")


def _refuse(host: str, port: Any, why: str) -> None:
    if settings.OUTBOUND_GUARD == "tell":
        _refusal(host, port, why, told="would refuse")
    else:
        raise _refusal(host, port, why)


def _text(host: Any) -> str:
    return _bare(host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or ""))
