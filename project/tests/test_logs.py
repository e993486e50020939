"""What stands in a log: never the secret that an address holds."""

import logging
import re
import shutil
import socket
import subprocess

import pytest
from django.conf import settings

from marketplace.core.logs import LineFormatter, masked, without_secrets

SECRET = "kaspi-test-token"
nginx = shutil.which("nginx")
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
    assert masked(line) == told


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


@pytest.mark.skipif(nginx is None, reason="nginx is not installed")
def test_nginx_tells_it_neither(tmp_path):
    """The rule of deploy/nginx.conf in a server of its own: what it writes about a call of Kaspi's."""
    conf = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
    rule = re.search(r"map \$request \$request_told \{.*?\n    \}", conf, re.S)[0]
    form = re.search(r"log_format line .*?;", conf)[0]
    log, address = tmp_path / "access.log", tmp_path / "nginx.sock"
    (tmp_path / "nginx.conf").write_text(
        f"daemon on; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{\n{rule}\n{form}\naccess_log {log} line;\n"
        + "".join(f"{name}_temp_path {tmp_path};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f"server {{ listen unix:{address}; location / {{ return 204; }} }} }}\n"
    )  # fmt: skip
    command = [nginx, "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (what is installed, with our own file)
    try:
        for path in (f"{PATH}?command=check", PATH.replace("kaspi/", "kaspi//"), "/wallet/"):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(address))
                caller.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
                while caller.recv(4096):
                    pass
    finally:
        subprocess.run([*command, "-s", "quit"], check=True, capture_output=True)  # noqa: S603

    told = log.read_text()
    assert SECRET not in told
    assert '"GET /api/v1/payments/webhooks/kaspi/***/?command=check HTTP/1.1" 204' in told
    assert '"GET /wallet/ HTTP/1.1" 204' in told
