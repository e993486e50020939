"""The virus scanner's door: what it says of a file, and that nothing passes while it says nothing."""

import io
import logging
import socket
import time
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.utils import timezone

from marketplace.core import scanning
from marketplace.core.tests import clamd_server
from marketplace.core.tests.clamd_server import EICAR, SIGNATURE, VERSION

CONF = (site.BASE_DIR / "deploy" / "clamd.conf").read_text()


@pytest.fixture
def clamd(settings):
    with clamd_server.running() as server:
        settings.CLAMD_URL = server.url
        yield server


def refusal(data=b"%PDF-1.7"):
    with pytest.raises(ValidationError) as refused:
        scanning.scan(io.BytesIO(data), door="test")
    return refused.value.code


# --- What it says -----------------------------------------------------------------------------------


def test_a_good_file_passes_and_was_seen_whole(clamd):
    data = bytes(range(256)) * 4 * 1024 + b"end"
    upload = io.BytesIO(data)
    upload.seek(77)

    scanning.scan(upload, door="test")

    assert clamd.seen == [data]
    assert upload.tell() == 0


def test_a_file_with_a_signature_is_refused_and_the_log_says_which_without_its_bytes(clamd, caplog):
    with caplog.at_level(logging.WARNING, logger="marketplace.core.scanning"):
        assert refusal(EICAR) == scanning.INFECTED

    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    said = line.getMessage()
    assert SIGNATURE in said
    assert "68 bytes" in said
    # The SHA-256 of EICAR's file is well known: by it the file can be looked up.
    assert "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f" in said
    assert "STANDARD-ANTIVIRUS" not in said


@pytest.mark.parametrize(
    "answer",
    [
        b"INSTREAM size limit exceeded. ERROR\0",
        b"stream: Can't allocate memory ERROR\0",
        b"stream: OK",
        b"stream: OK\n",
        b"stream: OK\0stream: OK\0",
        b" stream: OK\0",
        b"stream: OK\0\0",
        b"other: OK\0",
        b"stream:  FOUND\0",
        b"stream: a\nb FOUND\0",
        b"HTTP/1.1 200 OK\r\n\r\n\0",
        b"\xff\xfe\0",
        b"\0",
        b"",
        b"x" * 100_000,
        b"x" * 100_000 + b"\0",
    ],
)
def test_any_answer_but_two_is_none_and_nothing_passes(clamd, answer, caplog):
    clamd.answer = answer

    with caplog.at_level(logging.ERROR, logger="marketplace.core.scanning"):
        assert refusal() == scanning.NOT_SCANNED

    assert "refused unseen (test)" in caplog.text
    assert "%PDF" not in caplog.text


def test_a_scanner_that_is_too_slow_is_not_waited_for(clamd, settings):
    settings.CLAMD_TIMEOUT = 0.2
    clamd.is_slow = True
    begun = time.monotonic()

    assert refusal() == scanning.NOT_SCANNED

    assert time.monotonic() - begun < 5


def test_a_scanner_that_drips_its_answer_gets_no_longer(clamd, settings):
    """Each byte comes in time: all together must."""
    settings.CLAMD_TIMEOUT = 0.2
    clamd.drips = True
    begun = time.monotonic()

    assert refusal() == scanning.NOT_SCANNED

    assert time.monotonic() - begun < 5


def test_a_scanner_that_is_down_lets_nothing_pass(settings):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        settings.CLAMD_URL = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"

    assert refusal() == scanning.NOT_SCANNED


@pytest.mark.parametrize(
    "url", ["unix:///nowhere/clamd.sock", "tcp://127.0.0.1", "http://127.0.0.1:3310", "clamav"]
)
def test_an_address_that_leads_nowhere_lets_nothing_pass(settings, url):
    settings.CLAMD_URL = url

    assert refusal() == scanning.NOT_SCANNED


def test_more_than_the_scanner_takes_is_refused_and_not_sent(clamd, monkeypatch):
    monkeypatch.setattr(scanning, "MOST_BYTES", 100_000)

    assert refusal(b"x" * 100_001) == scanning.NOT_SCANNED
    assert clamd.seen == []


def test_both_ends_know_the_same_bound_and_it_holds_every_upload():
    assert f"StreamMaxLength {scanning.MOST_BYTES // 1024**2}M" in CONF
    assert max(site.CHAT_ATTACHMENT_MAX_BYTES, site.LISTING_IMAGE_MAX_BYTES) < scanning.MOST_BYTES


@pytest.mark.parametrize("url", ["", "none"])
def test_without_a_scanner_nothing_is_asked(settings, url):
    settings.CLAMD_URL = url

    scanning.scan(io.BytesIO(EICAR), door="test")


# --- What operators see -----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "state"), [(0, "ok"), (6, "ok"), (8, "old")])
def test_the_health_page_says_how_the_scanner_is(client, clamd, days, state):
    made_at = timezone.now() - timedelta(days=days)
    clamd.version = VERSION % made_at.strftime("%a %b %d %H:%M:%S %Y").encode()

    assert client.get("/health/").json()["scanner"] == state


@pytest.mark.django_db
def test_a_scanner_that_is_down_is_seen_and_takes_no_server_out_of_service(client, settings):
    settings.CLAMD_URL = "unix:///nowhere/clamd.sock"

    answer = client.get("/health/")

    assert (answer.status_code, answer.json()["status"], answer.json()["scanner"]) == (200, "ok", "down")
    assert numbers(client) == {"scanner_up": 0}


@pytest.mark.django_db
def test_without_a_scanner_health_says_so_and_no_number_is_told(client, settings):
    settings.CLAMD_URL = "none"

    assert client.get("/health/").json()["scanner"] == "off"
    assert numbers(client) == {}


@pytest.mark.django_db
def test_numbers_tell_that_it_answers_and_how_old_its_signatures_are(client, clamd):
    clamd.version = VERSION % (timezone.now() - timedelta(days=3)).strftime("%a %b %d %H:%M:%S %Y").encode()

    told = numbers(client)

    assert told["scanner_up"] == 1
    assert 3 * 86400 <= told["scanner_signatures_age_seconds"] < 3 * 86400 + 60


@pytest.mark.parametrize(
    "version", [b"ClamAV\0", b"+PONG\0", b"ClamAV 1.4.6/27500/yesterday, some time ago\0", b""]
)
def test_what_is_no_clamd_is_down(clamd, version):
    clamd.version = version

    assert scanning.state() == "down"


def numbers(client):
    lines = client.get("/metrics/").text.splitlines()
    return {
        name: float(value)
        for name, _space, value in (line.partition(" ") for line in lines if line.startswith("scanner_"))
    }


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", ["core.W001"]),
        ("none", []),
        ("tcp://clamav:3310", []),
        ("unix:///run/clamav/clamd.sock", []),
        ("clamav:3310", ["core.E001"]),
        ("tcp://clamav", ["core.E001"]),
        ("tcp://clamav:0x", ["core.E001"]),
        ("unix://clamd.sock", ["core.E001"]),
    ],
)
@pytest.mark.django_db  # another check looks into the database
def test_a_deployment_says_that_it_scans_or_that_it_means_not_to(settings, url, told):
    settings.CLAMD_URL = url

    found = run_checks(include_deployment_checks=True)

    assert [one.id for one in found if one.id.startswith("core.")] == told


# --- The real one -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_clamd(tmp_path_factory):
    if not clamd_server.real():
        pytest.skip("needs clamd (Debian: clamav-daemon)")
    with clamd_server.real_running(tmp_path_factory.mktemp("clamd"), CONF) as url:
        yield url


def test_the_real_clamd_knows_a_bad_file_from_good_ones(real_clamd, settings):
    settings.CLAMD_URL = real_clamd

    assert scanning.state() == "ok"
    scanning.scan(io.BytesIO(b"%PDF-1.7 a receipt"), door="test")
    scanning.scan(io.BytesIO(b"x" * site.CHAT_ATTACHMENT_MAX_BYTES), door="test")
    assert refusal(EICAR) == scanning.INFECTED
    assert refusal(b"%PDF-1.7\n" + b"x" * 5_000_000 + EICAR) == scanning.INFECTED


def test_the_real_clamd_takes_no_more_than_its_bound_and_that_passes_nothing(
    real_clamd, settings, monkeypatch
):
    settings.CLAMD_URL = real_clamd
    monkeypatch.setattr(scanning, "MOST_BYTES", 100 * 1024**2)

    assert refusal(b"x" * (26 * 1024**2)) == scanning.NOT_SCANNED
