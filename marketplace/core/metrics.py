"""Numbers for Prometheus: who offers them, who may read them, and their text.

Each source reads what it tells when it is asked (from the database, say), so every process of every server gives the
same answer and none has to keep files for the others.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from hmac import compare_digest

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from marketplace.core.visitors import address_of

type Source = Callable[[], Iterable[Metric]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Add numbers to /metrics/. Saying it twice changes nothing."""
    if source not in _sources:
        _sources.append(source)


class _All(Collector):
    def collect(self) -> Iterator[Metric]:
        for source in _sources:
            yield from source()

    def describe(self) -> list[Metric]:
        return []  # else the registry would ask for all values once more


def text() -> bytes:
    """All numbers in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_All())
    return generate_latest(registry)


def may_read(request: HttpRequest) -> bool:
    """A server of an allowed network, whoever has the token, and staff."""
    return _is_inside(request) or _has_token(request) or admin.site.has_permission(request)


def _is_inside(request: HttpRequest) -> bool:
    # Behind a proxy that does not say for whom it asks in the header we believe, where it stands says nothing.
    is_told = bool(settings.REAL_IP_HEADER) and settings.REAL_IP_HEADER in request.headers
    if not is_told and ("X-Forwarded-For" in request.headers or "Forwarded" in request.headers):
        return False
    if not (told := address_of(request)):
        return False
    address = ipaddress.ip_address(told)
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_ALLOWED_NETWORKS)


def _has_token(request: HttpRequest) -> bool:
    kind, _space, given = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return (
        bool(wanted)
        and kind.lower() == "bearer"
        and compare_digest(given.encode(errors="replace"), wanted.encode())
    )
