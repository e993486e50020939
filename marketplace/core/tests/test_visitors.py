"""Whose address counts: a header is believed of our own proxies only."""

import pytest
from django.test import RequestFactory

from marketplace.core.visitors import address_of


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings):
    settings.REAL_IP_HEADER = "X-Real-IP"
    settings.TRUSTED_PROXIES = ["172.16.0.0/12", "::1/128"]


@pytest.mark.parametrize(
    ("connection", "header", "address"),
    [
        ("172.18.0.5", "203.0.113.7", "203.0.113.7"),
        ("::ffff:172.18.0.5", "203.0.113.7", "203.0.113.7"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("", "203.0.113.7", "203.0.113.7"),  # a Unix socket: only this machine reaches it
        ("198.51.100.4", "203.0.113.7", "198.51.100.4"),
        ("198.51.100.4", "", "198.51.100.4"),
        ("172.18.0.5", "nonsense, <b>", "172.18.0.5"),
        ("172.18.0.5", "203.0.113.7, 10.0.0.1", "172.18.0.5"),
        ("172.18.0.5", "::ffff:203.0.113.7", "203.0.113.7"),
        ("", "", ""),
    ],
)
def test_the_header_is_believed_of_our_proxies_only(connection, header, address):
    request = RequestFactory().get(
        "/", REMOTE_ADDR=connection, headers={"X-Real-IP": header} if header else {}
    )

    assert address_of(request) == address


def test_without_a_proxy_a_header_says_nothing(settings):
    settings.REAL_IP_HEADER = ""
    request = RequestFactory().get("/", REMOTE_ADDR="172.18.0.5", headers={"X-Real-IP": "203.0.113.7"})

    assert address_of(request) == "172.18.0.5"
