"""How the parts of the site speak to each other: PostgreSQL, Redis, gunicorn and uvicorn as docker-compose.yml runs them."""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time

import psycopg
import pytest
import redis
from cryptography import x509
from psycopg import errors

from project.tests import data_plane
from project.tests.data_plane import certificate_in, make_certificates

# Once, in the run that has servers; these are its own.
pytestmark = pytest.mark.postgres
SEEN_SECONDS = 60


@pytest.fixture(scope="module")
def plane():
    if lacking := data_plane.missing():
        pytest.skip(f"needs {lacking}")
    with data_plane.running() as running:
        yield running


SIGN_IN_BUY_AND_SAY_SO = """
import asyncio, json, django
django.setup()
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db import connection
from django.test import Client
from marketplace.core.models import Job
from marketplace.escrow import services as escrow
from marketplace.escrow.tests.factories import rich_buyer
from marketplace.listings.tests.factories import ListingFactory
from marketplace.accounts.tests.factories import PASSWORD, UserFactory

async def channels():
    layer = get_channel_layer()
    name = await layer.new_channel()
    await layer.group_add("people", name)
    await layer.group_send("people", {"type": "hello"})
    async with asyncio.timeout(10):
        return await layer.receive(name)

client = Client(headers={"host": "shop.example"})
page = client.get("/accounts/login/", secure=True)
person = UserFactory()
entered = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}, secure=True)
home = client.get("/me/", secure=True, follow=True)
cache.set_many({"one": 1, "two": 2}, 60)
trade = escrow.buy_from_balance(listing_id=ListingFactory().pk, buyer=rich_buyer(10**9), idempotency_key="plane")
with connection.cursor() as cursor:
    cursor.execute("SELECT current_user, ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    line = cursor.fetchone()
print(json.dumps({
    "page": page.status_code, "entered": entered.status_code, "home": [home.status_code, person.email in home.content.decode()],
    "cache": [cache.get("one"), cache.incr("two")], "channels": asyncio.run(channels()), "trade": trade.status, "line": line,
    "jobs": Job.objects.count(),
}))
"""


def test_the_site_does_its_work_by_a_role_that_owns_nothing(plane):
    done = plane.run(sys.executable, "-c", SIGN_IN_BUY_AND_SAY_SO, part="web")

    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["page"] == 200
    assert told["entered"] == 302
    assert told["home"] == [200, True]
    assert told["cache"] == [1, 3]
    assert told["channels"] == {"type": "hello"}
    assert told["trade"] == "paid"
    assert told["line"] == ["wibestore_app", True, "TLSv1.3"]
    assert told["jobs"] > 0

    worker = plane.run(sys.executable, "-m", *plane.command("worker"), part="worker", wait=False)
    try:
        deadline, statuses = time.monotonic() + SEEN_SECONDS, []
        with plane.database("wibestore_app", "worker") as line:
            while statuses != [("done",)] and time.monotonic() < deadline and worker.poll() is None:
                statuses = line.execute("SELECT DISTINCT status FROM core_job").fetchall()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(timeout=0.2)
    finally:
        worker.terminate()
        worker.wait(timeout=SEEN_SECONDS)
    log = (plane.folder / "worker.log").read_text()
    assert statuses == [("done",)], log[-4000:]
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("role", "part", "changed", "said"),
    [
        ("wibestore_app", None, {}, "requires a valid client certificate"),
        ("wibestore_app", "web", {"sslmode": "disable"}, "pg_hba.conf rejects connection .* no encryption"),
        ("wibestore_app", "beat", {}, "certificate authentication failed"),
        ("wibestore_app", "nginx", {}, "certificate authentication failed"),
        ("wibestore_app", "migrate", {}, "certificate authentication failed"),
        ("wibestore_owner", "web", {}, "certificate authentication failed"),
        ("postgres", "web", {}, "pg_hba.conf rejects connection"),
        ("postgres", "migrate", {"password": "postgres"}, "pg_hba.conf rejects connection"),
        ("wibestore_app", "web", {"host": "redis", "hostaddr": "127.0.0.1"}, "does not match host name"),
    ],
)  # fmt: skip
def test_the_database_opens_to_the_right_certificate_only(plane, role, part, changed, said):
    with pytest.raises(psycopg.OperationalError, match=said):
        plane.database(role, part, **changed)


@pytest.mark.parametrize("part", ["web", "ws", "worker"])
def test_it_opens_to_each_part_that_needs_it(plane, part):
    with plane.database("wibestore_app", part) as line:
        assert line.execute("SELECT current_user").fetchone() == ("wibestore_app",)


def test_a_certificate_of_another_authority_opens_nothing(plane, tmp_path):
    make_certificates(tmp_path)
    mine = {"sslcert": tmp_path / "web" / "cert.pem", "sslkey": tmp_path / "web" / "key.pem"}

    with pytest.raises(psycopg.OperationalError, match=r"unknown ca|alert|certificate"):
        plane.database("wibestore_app", "web", **mine)
    with pytest.raises(redis.ConnectionError):
        plane.key_value(None, ssl_certfile=str(mine["sslcert"]), ssl_keyfile=str(mine["sslkey"])).ping()
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        plane.database("wibestore_app", "web", sslrootcert=tmp_path / "web" / "ca.pem")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE ledger_posting",
        "TRUNCATE notifications_notification",
        "DROP TRIGGER ledger_append_only_delete ON ledger_posting",
        "ALTER TABLE ledger_posting DISABLE TRIGGER USER",
        "ALTER TABLE accounts_securityevent DISABLE TRIGGER USER",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TABLE mine (id integer)",
        "CREATE TEMPORARY TABLE mine (id integer)",
        "CREATE SCHEMA mine",
        "DROP TABLE ledger_posting",
        "SET ROLE wibestore_owner",
        "UPDATE ledger_posting SET amount = 0",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_journalentry",
        "UPDATE ledger_account SET currency = 'USD'",
        "DELETE FROM ledger_account",
        "UPDATE accounts_securityevent SET kind = ''",
        "DELETE FROM django_migrations",
        "COPY ledger_posting TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_sites_role_can_not(plane, statement):
    with plane.database("wibestore_app", "web") as line:
        line.execute("SET wibestore.allow_truncate = 'on'")  # what would open the triggers' law
        with pytest.raises(errors.InsufficientPrivilege):
            line.execute(statement)


def test_what_a_later_migration_makes_is_the_sites_to_use_but_not_to_own(plane):
    with plane.database("wibestore_owner", "migrate") as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, word text)")
    with plane.database("wibestore_app", "web") as line:
        line.execute("INSERT INTO later (word) VALUES ('a')")
        line.execute("UPDATE later SET word = 'b'")
        assert line.execute("DELETE FROM later RETURNING word").fetchone() == ("b",)
        with pytest.raises(errors.InsufficientPrivilege):
            line.execute("TRUNCATE later")
    with plane.database("wibestore_owner", "migrate") as owner:
        owner.execute("DROP TABLE later")


def test_a_database_of_before_is_handed_over(plane):
    """All was the superuser's, with a password; roles.sql runs again, and the site's role has what it had here."""
    plane.superuser("ALTER ROLE postgres PASSWORD 'of-before'")
    for table in ("ledger_posting", "django_migrations", "accounts_user"):
        plane.superuser(f"ALTER TABLE {table} OWNER TO postgres")
    plane.superuser("ALTER FUNCTION ledger_append_only() OWNER TO postgres")
    plane.superuser("GRANT ALL ON SCHEMA public TO PUBLIC")
    plane.superuser("GRANT TRUNCATE, TRIGGER ON ledger_posting TO PUBLIC")

    plane.roles()

    strangers = """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
        AND relowner <> 'wibestore_owner'::regrole
    """
    assert plane.superuser(strangers) == []
    owner = "SELECT proowner::regrole FROM pg_proc WHERE proname = 'ledger_append_only'"
    assert plane.superuser(owner) == ["wibestore_owner"]
    assert plane.superuser("SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL") == []
    with plane.database("wibestore_app", "web") as line:
        for statement in ("TRUNCATE ledger_posting", "CREATE TABLE mine (id integer)"):
            with pytest.raises(errors.InsufficientPrivilege):
                line.execute(statement)


def test_redis_listens_to_holders_of_a_certificate_by_tls_only(plane):
    assert plane.key_value("beat").ping()
    with pytest.raises(redis.ConnectionError):
        plane.key_value(None).ping()
    with (
        socket.create_connection(("127.0.0.1", plane.redis), timeout=10) as plain,
        contextlib.suppress(ConnectionError),
    ):
        plain.sendall(b"PING\r\n")
        assert b"PONG" not in plain.recv(100)


@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET *", "CONFIG SET dir /tmp", "SHUTDOWN NOSAVE", "DEBUG SLEEP 0", "MONITOR",
     "ACL LIST", "ACL SETUSER default allcommands", "MODULE LIST", "REPLICAOF 127.0.0.1 1", "SAVE", "CLIENT LIST", "SCAN 0",
     "SCRIPT FLUSH", "FUNCTION LIST", "MIGRATE 127.0.0.1 1 a 0 10", "DUMP a", "INFO", "EVAL return(redis.call('FLUSHALL')) 0"],
)  # fmt: skip
def test_redis_does_nothing_for_the_site_that_it_has_no_need_of(plane, command):
    with pytest.raises(redis.ResponseError, match=r"no permissions|not allowed|can't run this command"):
        plane.key_value("web").execute_command(*command.split())


def test_its_administrator_is_known_inside_its_container_only(plane):
    with pytest.raises(redis.AuthenticationError):
        plane.key_value("web", username="admin", password="guessed").ping()
    assert "redis_version" in plane.redis_admin("INFO", "server")


@contextlib.contextmanager
def listening(plane, part, *command, **env):
    process = plane.run(sys.executable, "-m", *command, part=part, wait=False, **env)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=SEEN_SECONDS)


@pytest.fixture(scope="module", params=["web", "ws"])
def server(request, plane):
    """gunicorn or uvicorn, as its container runs it: the name of the part, and its port."""
    port = data_plane.free_port()
    if request.param == "web":
        command = ["gunicorn", "--config", "deploy/gunicorn.conf.py", "project.wsgi:application"]
    else:
        command = [word for word in plane.command("ws") if not word.startswith(("--host", "--port"))]
        command += ["--host=127.0.0.1", f"--port={port}"]
    with listening(plane, request.param, *command, GUNICORN_BIND=f"127.0.0.1:{port}") as process:
        log = plane.folder / f"{request.param}.log"
        data_plane.until(lambda: answer(port, plane.context("nginx"), request.param), process, log)
        yield request.param, port


def answer(port, context, name):
    """What a server says about itself, or of the one who asks: the first bytes; none when it hangs up."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=SEEN_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name)
        if context
        else contextlib.nullcontext(plain) as line,
    ):
        line.sendall(b"GET /health/live/ HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
        return line.recv(100)


def test_pages_and_sockets_answer_whoever_shows_a_certificate_and_nobody_else(plane, server):
    part, port = server
    health = plane.run(sys.executable, "deploy/healthcheck.py", str(port), part=part)
    assert health.returncode == 0, health.stderr

    assert answer(port, plane.context("nginx"), part).startswith(b"HTTP/1.1 200")
    with contextlib.suppress(OSError):  # refused in one way or another, but not answered
        assert b"200" not in answer(port, plane.context(None), part)
    with contextlib.suppress(OSError):
        assert b"200" not in answer(port, None, part)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        answer(port, plane.context("nginx"), "postgres")


def shown_by_redis(plane):
    """The number of the certificate that Redis shows to whoever connects now."""
    with (
        socket.create_connection(("127.0.0.1", plane.redis), timeout=10) as plain,
        plane.context("web").wrap_socket(plain, server_hostname="redis") as line,
    ):
        return x509.load_der_x509_certificate(line.getpeercert(binary_form=True)).serial_number


def test_new_certificates_are_taken_up_while_connections_stay(plane):
    store, before = plane.key_value("web", single_connection_client=True), shown_by_redis(plane)
    with plane.database("wibestore_app", "web") as line:
        assert store.ping()
        plane.renew("postgres", "redis", "web")
        plane.redis_admin()
        plane.superuser("SELECT pg_reload_conf()")

        assert line.execute("SELECT 1").fetchone() == (1,)
        assert store.ping()
    assert (
        shown_by_redis(plane)
        == certificate_in(plane.certificate("redis") / "cert.pem").serial_number
        != before
    )
    with plane.database("wibestore_app", "web") as line:
        assert line.execute("SELECT 1").fetchone() == (1,)


def test_gunicorn_shows_a_new_certificate_without_being_told(plane, server):
    part, port = server
    if part != "web":
        pytest.skip("uvicorn reads it when it starts: deploy/renew.sh starts it again")
    plane.renew(part)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        plane.context("nginx").wrap_socket(plain, server_hostname=part) as line,
    ):
        shown = x509.load_der_x509_certificate(line.getpeercert(binary_form=True))
    assert shown.serial_number == certificate_in(plane.certificate(part) / "cert.pem").serial_number
