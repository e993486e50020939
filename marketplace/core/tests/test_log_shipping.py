"""Log lines that leave for another server: their form, that nobody waits for it, and that nobody else takes them."""

import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading

import pytest
from django.conf import settings

from marketplace.core import log_shipping
from marketplace.core.log_shipping import MOST, Shipper
from marketplace.core.logs import RequestIdFilter, SecretsFilter, request_id
from marketplace.core.tests import tls_log_server

HEAD = re.compile(
    rb"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([!-~]{1,255}) wibestore (\d+) - "
    rb'\[meta sequenceId="(\d+)"\] (\{.*\})',
    re.DOTALL,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def by(folder):
    return tls_log_server.authority(folder)


@pytest.fixture(scope="module")
def certificate(folder, by):
    return tls_log_server.certificate(folder, by)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(log_shipping, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(log_shipping, "LONGEST_PAUSE", 0.05)


@pytest.fixture
def ours(monkeypatch):
    """What this machine's own log says of the shipping."""
    told = _Kept()
    monkeypatch.setattr(log_shipping.logger, "handlers", [told])
    monkeypatch.setattr(log_shipping.logger, "propagate", False)
    return told


class _Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines, self._news = [], threading.Condition()

    def emit(self, record):
        with self._news:
            self.lines.append(record.getMessage())
            self._news.notify_all()

    def wait(self, part, *, seconds=10):
        with self._news:
            return self._news.wait_for(lambda: any(part in line for line in self.lines), seconds)


@pytest.fixture
def shipping(folder, by, ours):
    """Makes a logger of its own whose lines are shipped to a port."""
    made = []

    def make(port, *, host="127.0.0.1", ca="authority.pem", more="", **options):
        handler = Shipper(f"syslog+tls://{host}:{port}?ca={folder / ca}{more}", **options)
        handler.addFilter(RequestIdFilter())
        handler.addFilter(SecretsFilter())
        logger = logging.Logger("marketplace.test")  # noqa: LOG001 (nobody else's, and gone after the test)
        logger.addHandler(handler)
        made.append(handler)
        return logger

    yield make
    for handler in made:
        handler.close()


def parts(message):
    severity, at, host, pid, number, told = HEAD.fullmatch(message).groups()
    return int(severity), at.decode(), host.decode(), int(pid), int(number), json.loads(told)


def fail(words):
    raise ValueError(words)


def test_a_line_is_a_message_of_syslog(certificate, shipping):
    with tls_log_server.running(certificate) as server:
        token = request_id.set("4f1c")
        shipping(server.port).warning("paid %s", 7)
        request_id.reset(token)
        assert server.wait(1)

    severity, _at, host, pid, number, told = parts(server.messages[0])
    assert (severity, host, pid, number) == (16 * 8 + 4, socket.gethostname(), os.getpid(), 1)
    assert told == {
        "level": "WARNING",
        "logger": "marketplace.test",
        "request_id": "4f1c",
        "message": "paid 7",
    }


@pytest.mark.parametrize(
    ("level", "severity"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (25, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)  # fmt: skip
def test_severities_are_those_of_syslog(certificate, folder, by, level, severity):
    shipper = Shipper(f"syslog+tls://127.0.0.1?ca={folder / 'authority.pem'}")
    record = logging.makeLogRecord({"levelno": level, "msg": "x"})

    assert parts(shipper.message(record, 1))[0] == 16 * 8 + severity


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\0", '"', "\\", "]", "\u2028", "ʻ", "Ж", "😀", "\ud800"])
def test_whatever_a_stranger_wrote_stays_in_its_message(certificate, shipping, sign):
    with tls_log_server.running(certificate) as server:
        logger = shipping(server.port)
        logger.error("refused: %s", f'a{sign}17 <8>1 - - - - - - {{"level": "INFO"}}')
        logger.error("next")
        assert server.wait(2)

    first, second = (parts(message)[5] for message in server.messages)
    assert first["level"] == "ERROR"
    assert first["message"].startswith("refused: a")
    assert second["message"] == "next"
    assert server.messages[0].isascii()
    assert b"\n" not in server.messages[0]


def test_an_error_comes_with_its_traceback_in_one_message(certificate, shipping):
    with tls_log_server.running(certificate) as server:
        try:
            fail("no such trade")
        except ValueError:
            shipping(server.port).exception("failed")
        assert server.wait(1)

    told = parts(server.messages[0])[5]["message"]
    assert told.startswith("failed\nTraceback")
    assert told.endswith("ValueError: no such trade")


@pytest.mark.parametrize("sign", ["x", "Ж", "\x01", "😀"])
def test_what_is_too_long_loses_its_middle_not_its_end(certificate, shipping, sign):
    with tls_log_server.running(certificate) as server:
        shipping(server.port).error("begin %s end", sign * 100_000)
        assert server.wait(1)

    assert MOST // 2 < len(server.messages[0]) <= MOST
    told = parts(server.messages[0])[5]["message"]
    assert told.startswith("begin ")
    assert told.endswith(" end")


def test_secrets_do_not_leave(certificate, shipping):
    with tls_log_server.running(certificate) as server:
        logger = shipping(server.port)
        logger.error("Not Found: /api/v1/payments/webhooks/kaspi/kaspi-test-token/")
        try:
            fail("password='hunter2hunter2'")
        except ValueError:
            logger.exception("failed")
        assert server.wait(2)

    sent = b"".join(server.messages)
    assert b"kaspi-test-token" not in sent
    assert b"hunter2" not in sent
    assert b"kaspi/***/" in sent


def test_a_server_that_comes_back_gets_what_waited(certificate, shipping, ours):
    with tls_log_server.running(certificate) as server:
        logger = shipping(server.port)
        logger.error("one")
        assert server.wait(1)
    logger.error("two")
    assert ours.wait("the log server is not reached, lines wait")
    logger.error("three")
    with tls_log_server.running(certificate, port=server.port) as again:
        assert again.wait(2)
        assert ours.wait("the log server is reached again")

    assert [parts(one)[4:] for one in again.messages] == [
        (2, {"level": "ERROR", "logger": "marketplace.test", "request_id": "-", "message": "two"}),
        (3, {"level": "ERROR", "logger": "marketplace.test", "request_id": "-", "message": "three"}),
    ]
    assert sum("not reached" in line for line in ours.lines) == 1, "an outage is told once"


def test_a_server_that_hung_up_is_called_again_before_the_next_line(certificate, shipping):
    """The first line into a closed connection would vanish without an error."""
    with tls_log_server.running(certificate) as server:
        logger = shipping(server.port)
        logger.error("one")
        assert server.wait(1)
        server.hang_up()
        logger.error("two")
        assert server.wait(2)

    assert (server.callers, parts(server.messages[1])[5]["message"]) == (2, "two")


def test_lines_beyond_the_queue_are_counted_and_told_and_nobody_waits(certificate, shipping, ours):
    with socket.create_server(("127.0.0.1", 0)) as listener:  # nobody there, whose place is known
        port = listener.getsockname()[1]
    logger = shipping(port, size=4)
    logger.error("one")
    assert ours.wait("not reached")
    for _line in range(10):
        logger.error("more")
    with tls_log_server.running(certificate, port=port) as server:
        # One in the thread's hand, four in the queue.
        assert server.wait(5)
        assert ours.wait("6 log lines were not shipped")
        logger.error("after")
        assert server.wait(6)

    assert [parts(one)[4] for one in server.messages] == [1, 2, 3, 4, 5, 12], "the numbers show the gap"


def test_a_server_that_takes_nothing_holds_nobody_up(shipping, monkeypatch):
    """It accepts, and then never says a word of TLS."""
    monkeypatch.setattr(log_shipping, "LAST_WORDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        logger = shipping(mute.getsockname()[1], size=2)
        done = threading.Event()

        def log():
            for _line in range(50):
                logger.error("x")
            done.set()

        threading.Thread(target=log, daemon=True).start()
        assert done.wait(5), "whoever logs waits for the server"


@pytest.mark.parametrize("wrong", ["another authority", "another name", "run out"])
def test_nobody_else_gets_the_lines(folder, by, shipping, ours, wrong):
    other = tls_log_server.authority(folder, "other")
    file = {
        "another authority": lambda: tls_log_server.certificate(folder, other, name="foreign"),
        "another name": lambda: tls_log_server.certificate(folder, by, host="logs.example", name="elsewhere"),
        "run out": lambda: tls_log_server.certificate(folder, by, days=-1, name="old"),
    }[wrong]()
    with tls_log_server.running(file) as server:
        shipping(server.port).error("for our eyes only")

        assert ours.wait("certificate verify failed")
        assert (server.messages, server.callers) == ([], 0)


def test_a_server_may_want_our_certificate(folder, by, certificate, shipping):
    mine = tls_log_server.certificate(folder, by, host="web", name="client")
    with tls_log_server.running(certificate, wants=folder / "authority.pem") as server:
        shipping(server.port, more=f"&cert={mine}").error("let me in")
        assert server.wait(1)


def test_the_log_server_is_on_the_list_or_nothing_is_sent(certificate, shipping, ours, monkeypatch):
    monkeypatch.setattr(settings, "OUTBOUND", ())
    with tls_log_server.running(certificate) as server:
        shipping(server.port).error("x")

        assert ours.wait("is not talked to")
        assert server.callers == 0


@pytest.mark.skipif(sys.platform == "win32", reason="has no forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_ships_its_own_lines_by_its_own_connection(certificate, shipping):
    with tls_log_server.running(certificate) as server:
        logger = shipping(server.port)
        logger.error("parent")
        assert server.wait(1)
        child = os.fork()
        if child == 0:
            logger.error("child")
            logger.handlers[0].close()
            os._exit(0)
        os.waitpid(child, 0)
        logger.error("parent again")
        assert server.wait(3)

    by_process = {(parts(one)[3], parts(one)[5]["message"]) for one in server.messages}
    assert by_process == {(os.getpid(), "parent"), (child, "child"), (os.getpid(), "parent again")}
    assert server.callers == 2


ENDING = """
import logging, sys
import django; django.setup()
from marketplace.core.log_shipping import Shipper
logger = logging.getLogger("marketplace.ending")
logger.addHandler(Shipper(sys.argv[1]))
for number in range(200):
    logger.error("%s", number)
print("said all", flush=True)
"""


def test_the_end_of_a_process_waits_for_what_is_still_to_be_sent(certificate, folder):
    opens = threading.Event()
    with tls_log_server.running(certificate, opens=opens) as server:
        url = f"syslog+tls://127.0.0.1:{server.port}?ca={folder / 'authority.pem'}"
        env = {"DJANGO_SETTINGS_MODULE": "project.settings.testing", "PATH": os.environ["PATH"]}
        command = [sys.executable, "-c", ENDING, url]
        with subprocess.Popen(command, env=env, cwd=settings.BASE_DIR, stdout=subprocess.PIPE) as ending:  # noqa: S603
            assert ending.stdout.readline() == b"said all\n"
            opens.set()

            assert server.wait(200)


@pytest.mark.parametrize(
    "url",
    ["", "logs.example", "syslog://logs.example:514", "https://logs.example", "syslog+tls://", "syslog+tls://h?verify=no",
     "syslog+tls://h?ca=/nowhere.pem", "syslog+tls://h:x", "syslog+tls://h?ca"],
)  # fmt: skip
def test_an_address_without_encryption_or_sense_is_refused(url):
    with pytest.raises(ValueError):
        log_shipping.server(url)


def test_the_port_is_that_of_the_standard():
    assert log_shipping.server("syslog+tls://logs.example").port == 6514
