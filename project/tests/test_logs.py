"""What stands in a log: never the secret that an address holds."""

import logging
import re

import pytest
from django.conf import settings

from marketplace.core import scrub
from marketplace.core.logs import LineFormatter, without_secrets
from project.tests import nginx

SECRET = "kaspi-test-token"
PATH = f"/api/v1/payments/webhooks/kaspi/{SECRET}/"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"Not Found: {PATH}", "Not Found: /api/v1/payments/webhooks/kaspi/***/"),
        (
            f'"GET {PATH}?command=check&sum=2500.00 HTTP/1.1" 200',
            '"GET /api/v1/payments/webhooks/kaspi/***/?command=check&sum=2500.00 HTTP/1.1" 200',
        ),
        (f"{PATH.upper()} and {PATH}", "/API/V1/PAYMENTS/WEBHOOKS/KASPI/***/ and /api/v1/payments/webhooks/kaspi/***/"),
        ("/api/v1/payments/webhooks/kaspi/", "/api/v1/payments/webhooks/kaspi/"),
        ("/api/v1/payments/webhooks/click/prepare/", "/api/v1/payments/webhooks/click/prepare/"),
    ],
)  # fmt: skip
def test_the_secret_of_an_address_is_not_told(line, told):
    assert scrub.text(line) == told


@pytest.mark.django_db
def test_a_refused_call_is_logged_without_its_secret(client, capsys):
    """By the handlers of the settings, with Django's own words for a 404."""
    handler = logging.StreamHandler()
    for name in settings.LOGGING["handlers"]["console"]["filters"]:
        path, made = settings.LOGGING["filters"][name]["()"].rsplit(".", 1)
        handler.addFilter(getattr(__import__(path, fromlist=[made]), made)())
    requests = logging.getLogger("django.request")
    requests.addHandler(handler)
    try:
        answer = client.get(PATH, REMOTE_ADDR="203.0.113.9")
    finally:
        requests.removeHandler(handler)

    told = capsys.readouterr().err
    assert answer.status_code == 404
    assert "Not Found: /api/v1/payments/webhooks/kaspi/***/" in told
    assert SECRET not in told


def test_an_event_for_sentry_does_not_hold_it():
    event = {"request": {"url": f"https://shop.uz{PATH}"}, "message": "x"}

    assert SECRET not in str(without_secrets(event, {}))
    assert without_secrets({"message": "x"}, {}) == {"message": "x"}


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\x85", "\u2028"])
def test_a_message_is_one_line_whatever_a_stranger_put_into_it(sign):
    record = logging.makeLogRecord({"msg": "refused: %s", "args": (f"a{sign}2026-01-01 [INFO] paid",)})

    told = LineFormatter("%(message)s").format(record)

    assert sign not in told
    assert told == f"refused: a\\x{ord(sign):02x}2026-01-01 [INFO] paid"


def test_every_handler_writes_whole_lines():
    settings_of_lines = settings.LOGGING["formatters"]

    assert {one["formatter"] for one in settings.LOGGING["handlers"].values()} == {"line"}
    assert settings_of_lines["line"]["()"] == "marketplace.core.logs.LineFormatter"


def test_every_handler_masks():
    handlers = settings.LOGGING["handlers"].values()

    assert all("secrets" in handler["filters"] for handler in handlers)


LINKS = [
    "/accounts/password/reset/key/2f-cz9x1k-s3cr3t/", "/accounts/confirm-email/MTI:1tXy:s3cr3t/", "/me/not-me/Ijhf:1tXy:s3cr3t/",
    "/notifications/unsubscribe/IjAx:s3cr3t/", "/ACCOUNTS/password/reset/key/2f-cz9x1k-s3cr3t", "//me//not-me//Ijhf:s3cr3t/",
    "/ws/chat/1/?ticket=s3cr3t", "/wallet/?page=2&token=s3cr3t&x=1", "/me/not-me/s3cr3t/?key=s3cr3t",
]  # fmt: skip


def test_nginx_and_the_settings_know_the_same_addresses():
    known = re.search(r"path_before>\.\*\((.*?)\)/", nginx.CONF)[1].replace("/+", "/")

    assert known == settings.SECRETS_IN_ADDRESSES
    quiet = re.search(r"location ~\* \^/\((.*?)\)/", nginx.CONF)[1].split("|")
    assert [
        path
        for path in settings.SECRETS_IN_ADDRESSES.split("|")
        if not any(path in f"/{one}" for one in quiet)
    ] == []


@pytest.mark.parametrize("path", LINKS)
def test_links_of_mails_are_not_told(path):
    assert "s3cr3t" not in scrub.text(f'"GET {path} HTTP/1.1" 404')


@pytest.mark.skipif(nginx.program is None, reason="nginx is not installed")
def test_nginx_tells_it_neither(tmp_path):
    """The rules of deploy/nginx.conf in a server of its own: what it writes about each call, and about one that fails."""
    log = tmp_path / "access.log"
    before = "\n".join(
        [
            nginx.rule("map $request $path_told"),
            nginx.rule("map $path_told $request_told"),
            nginx.line("log_format line"),
        ]
    )
    silent = nginx.rule(re.search(r"location ~\* \^/\(api[^{]*(?= \{)", nginx.CONF)[0])
    silent = silent.replace("/dev/stderr", f"{tmp_path}/error.log").replace(
        "https://pages", f"http://unix:{tmp_path}/nobody.sock"
    )

    with nginx.running(
        tmp_path, before=f"{before}\naccess_log {log} line;", server="location / { return 204; }"
    ) as address:
        for path in (f"{PATH}?command=check", PATH.replace("kaspi/", "kaspi//"), *LINKS, "/wallet/?page=2"):
            nginx.asked(address, "GET", path)
    with nginx.running(tmp_path, before=f"{before}\naccess_log {log} line;", server=silent) as address:
        failed = [nginx.asked(address, "GET", path).status for path in (PATH, *LINKS[:4])]

    told = log.read_text()
    assert SECRET not in told
    assert "s3cr3t" not in told
    assert '"GET /api/v1/payments/webhooks/kaspi/***/?command=check HTTP/1.1" 204' in told
    assert '"GET /accounts/password/reset/key/***/ HTTP/1.1" 204' in told
    assert '"GET /ws/chat/1/?*** HTTP/1.1" 204' in told
    assert '"GET /wallet/?page=2 HTTP/1.1" 204' in told
    assert failed == [502] * 5
    assert "s3cr3t" not in (tmp_path / "error.log").read_text()
    assert SECRET not in (tmp_path / "error.log").read_text()
