"""The door of calls by HTTP: who is on the list is talked to, at an address that was looked at, and nobody else."""

import logging
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from marketplace.core import http, outside
from marketplace.core.outside import Place, named_by_operator, place

SECRET = "4711:token-in-the-path"


@pytest.fixture(autouse=True)
def _nobody_was_refused_yet():
    outside._told.clear()


@pytest.fixture
def lines(caplog, monkeypatch):
    """The lines of the door, which does not hand them to the root."""
    monkeypatch.setattr(logging.getLogger("marketplace"), "propagate", True)
    return caplog


@contextmanager
def serving():
    """A server on loopback. Yields its port and the paths it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.headers["Host"].encode())

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


def leads_to(monkeypatch, *addresses):
    """Every name leads to these addresses, each in turn where a name is asked for again. Returns the names asked for."""
    asked, real = [], socket.getaddrinfo

    def found(host, port, *args, **kwargs):
        if outside._literal(str(host)) is not None:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        address = addresses[min(len(asked), len(addresses)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


def test_who_is_on_the_list_is_talked_to(settings):
    with serving() as (port, asked):
        settings.OUTBOUND = (place("x", f"http://127.0.0.1:{port}"),)
        reply = http.send("GET", f"http://127.0.0.1:{port}/a?b=1")

    assert (reply.status, asked) == (200, ["/a?b=1"])


@pytest.mark.parametrize(
    "listed", [(), (place("x", "http://127.0.0.1:1"),), (place("x", "https://example.com"),)]
)
def test_who_is_not_on_the_list_is_no_answer_and_never_asked(settings, lines, listed):
    with serving() as (port, asked):
        settings.OUTBOUND = listed
        with pytest.raises(http.NoAnswer):
            http.send("GET", f"http://127.0.0.1:{port}/bot{SECRET}/x")

    assert asked == []
    assert lines.messages == [
        f"refused to talk to 127.0.0.1 port {port}: no http:// address of the settings (docs/operations.md, Who is talked to)"
    ]


def test_a_call_without_encryption_does_not_go_where_the_settings_say_https(settings):
    with serving() as (port, asked):
        settings.OUTBOUND = (place("x", f"https://127.0.0.1:{port}"),)
        with pytest.raises(http.NoAnswer):
            http.send("GET", f"http://127.0.0.1:{port}/")

    assert asked == []


def test_the_log_says_a_refusal_once_a_minute(settings, lines, monkeypatch):
    settings.OUTBOUND = ()
    clock = iter((1000.0, 1001.0, 1059.0, 1061.0))
    monkeypatch.setattr(outside.time, "monotonic", lambda: next(clock))
    for _call in range(4):
        with pytest.raises(http.NoAnswer):
            http.send("GET", "https://example.com/")

    assert len(lines.messages) == 2


INSIDE = [
    "127.0.0.1", "10.0.0.7", "172.17.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",  # noqa: S104
    "::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "::ffff:10.0.0.7", "64:ff9b::7f00:1", "2002:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_of_others_that_leads_inside_is_not_followed(settings, monkeypatch, lines, address):
    made = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **_kwargs: made.append(args))
    settings.OUTBOUND = (place("payment providers", "https://api.bank.example"),)
    leads_to(monkeypatch, address)

    with pytest.raises(http.NoAnswer):
        http.send("GET", "https://api.bank.example/")

    assert made == []
    assert f"its name leads to {address}" in lines.text


@pytest.mark.parametrize("clothes", ["10.0.0.7", "::ffff:10.0.0.7", "64:ff9b::a00:7"])
def test_an_address_is_the_same_place_in_whatever_clothes(clothes):
    listed = [place("x", "http://10.0.0.7")]

    assert outside._fits(clothes, listed)
    assert not outside._fits(clothes.replace("7", "8"), listed)


def test_a_name_that_leads_elsewhere_the_second_time_gets_nowhere(settings, monkeypatch):
    """DNS rebinding: what was looked at is what is connected to, since the name is asked for once."""
    made = []

    def create(address, *_args):
        made.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "create_connection", create)
    settings.OUTBOUND = (place("payment providers", "https://api.bank.example"),)
    asked = leads_to(monkeypatch, "93.184.216.34", "127.0.0.1")

    with pytest.raises(http.NoAnswer):
        http.send("GET", "https://api.bank.example/")

    assert asked == ["api.bank.example"]
    assert made == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        (place("x", "http://bot-api"), "bot-api"),  # a container beside us
        (place("x", "http://minio.corp.example", is_ours=True), "minio.corp.example"),
        (named_by_operator("x", "sentry.corp.example:*"), "sentry.corp.example"),
    ],
    ids=["without a dot", "ours", "named by the operator"],
)  # fmt: skip
def test_what_the_settings_say_is_ours_may_lie_inside(settings, monkeypatch, listed, host):
    leads_to(monkeypatch, "127.0.0.1")
    with serving() as (port, asked):
        settings.OUTBOUND = (Place(listed.who, listed.scheme, listed.host, port, listed.is_ours),)
        reply = http.send("GET", f"http://{host}:{port}/")

    assert reply.body.decode() == f"{host}:{port}", "the server is told the name, not the address"
    assert asked == ["/"]


def test_even_what_is_ours_does_not_lie_where_clouds_keep_their_keys(settings, monkeypatch):
    settings.OUTBOUND = (named_by_operator("x", "sentry.corp.example:*"),)
    leads_to(monkeypatch, "169.254.169.254")

    with pytest.raises(http.NoAnswer):
        http.send("GET", "http://sentry.corp.example/latest/meta-data/")


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("proxy.corp.example", "proxy.corp.example", 443),
        ("Proxy.corp.example:3128", "proxy.corp.example", 3128),
        ("10.1.2.3:*", "10.1.2.3", None),
        ("[fd00::1]:8443", "fd00::1", 8443),
    ],
)
def test_an_operator_names_hosts(entry, host, port):
    assert named_by_operator("x", entry) == Place("x", "", host, port, is_ours=True)


@pytest.mark.parametrize(
    "entry", ["", "*", "*:443", "*.example.com", "https://example.com", "a/b", "host:port", "::1", "u@h"]
)
def test_what_is_no_host_is_refused(entry):
    with pytest.raises(ValueError, match="is not host, host:port or host:"):
        named_by_operator("x", entry)


def test_a_wrong_address_is_refused_without_its_password():
    with pytest.raises(ValueError) as refused:
        place("Redis", "redis://:s3cr3t@:6379")

    assert "s3cr3t" not in str(refused.value)
