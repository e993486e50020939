"""PostgreSQL, Redis and the servers of the site as docker-compose.yml runs them, on ports of this machine.

What they are told (arguments, pg_hba.conf, roles.sql, redis.conf, certificates) is read from what is shipped; only folders,
ports and the users of this machine take the place of those in the containers.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import redis
import yaml
from cryptography import x509
from cryptography.fernet import Fernet
from django.conf import settings

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
START_SECONDS, PATIENCE = 60, 300
DATABASE = "wibestore_db"
PARTS = ["postgres", "redis", "web", "ws", "worker", "beat", "migrate", "nginx", "prometheus"]
# Everything but PostgreSQL runs as whoever runs the tests.
OWNERS = ["postgres=postgres", *(f"{part}={os.getuid()}" for part in PARTS[1:])]
# Production's settings, but static files have plain names (none were collected here), mails stay in memory, and what goes out
# after a commit has gone when a process ends.
SETTINGS = """
from project.settings.production import *
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
COURIER_THREAD = False
"""


def missing() -> str:
    """What this machine lacks; empty when nothing is."""
    found = {
        "openssl": shutil.which("openssl"),
        "redis-server": shutil.which("redis-server"),
        "PostgreSQL's own programs": bin_of_postgres(),
    }
    if absent := [name for name, path in found.items() if not path]:
        return ", ".join(absent)
    if not _user("postgres") or os.geteuid() not in (0, _user("postgres").pw_uid):
        return "root, and a user called postgres"
    # It starts in neither case, but a Redis without TLS does not get as far as the folder.
    tried = ["redis-server", "--tls-port", "0", "--dir", "/nonexistent"]
    said = subprocess.run(tried, capture_output=True, text=True, check=False)  # noqa: S603
    return "redis-server with TLS" if "Bad directive" in said.stderr + said.stdout else ""


def bin_of_postgres() -> Path | None:
    """The folder of initdb and postgres, of the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).parent if program else None


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def make_certificates(folder: Path, *said: str, **env: str) -> list[str]:
    """Run deploy/certificates.sh; the lines it says."""
    done = subprocess.run(  # noqa: S603 (our own script)
        ["sh", str(ROOT / "deploy" / "certificates.sh"), str(folder), *said],  # noqa: S607
        env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def certificate_in(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@dataclass
class Plane:
    folder: Path
    postgres: int
    redis: int

    def certificate(self, part: str) -> Path:
        return self.folder / "certificates" / part

    def run(self, *command: str, part: str, wait: bool = True, **env: str) -> Any:
        """A program of the site with the environment of this part of docker-compose.yml, and this part's certificate."""
        given = {
            name: self._here(value, part) for name, value in COMPOSE["services"][part]["environment"].items()
        }
        secret = {
            "SECRET_KEY": self.secret, "FERNET_KEY": self.fernet, "ALLOWED_HOSTS": "shop.example", "EMAIL_HOST": "mail.invalid",
            "SENTRY_DSN": "", "SITE_URL": "https://shop.example", "CELERY_RESULT_BACKEND": "",
        }  # fmt: skip
        folders = {
            "MEDIA_ROOT": str(self.folder / "media"), "PRIVATE_ROOT": str(self.folder / "private"), "LOG_DIR": str(self.folder),
            "PYTHONPATH": f"{ROOT}:{self.folder}", "DJANGO_SETTINGS_MODULE": "plane_settings",
        }  # fmt: skip
        everything = {"PATH": os.environ["PATH"], **secret, **given, **folders, **env}
        log = self.folder / f"{part}.log"
        if not wait:
            with log.open("ab") as out:
                return subprocess.Popen(command, env=everything, cwd=ROOT, stdout=out, stderr=out)  # noqa: S603
        return subprocess.run(  # noqa: S603 (our own programs)
            command, env=everything, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def _here(self, value: str, part: str) -> str:
        return (
            value.replace("/certificates", str(self.certificate(part)))
            .replace("${POSTGRES_DB:-wibestore_db}", DATABASE)
            .replace("@postgres:5432", f"@127.0.0.1:{self.postgres}")
            .replace("redis:6379", f"127.0.0.1:{self.redis}")
        )

    def __post_init__(self) -> None:
        self.secret, self.fernet = secrets.token_urlsafe(60), Fernet.generate_key().decode()

    def command(self, part: str) -> list[str]:
        return [self._here(word, part) for word in COMPOSE["services"][part]["command"]]

    def database(self, role: str, part: str | None, **changed: object) -> psycopg.Connection[Any]:
        """A connection as this role with the certificate of this part. Raises OperationalError where it is refused."""
        given: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.postgres,
            "dbname": DATABASE,
            "user": role,
        }
        given |= {
            "sslmode": "verify-full",
            "sslrootcert": self.certificate("postgres") / "ca.pem",
            "sslcert": "",
            "sslkey": "",
        }
        if part:
            given |= {
                "sslcert": self.certificate(part) / "cert.pem",
                "sslkey": self.certificate(part) / "key.pem",
            }
        given = {name: str(value) for name, value in (given | changed).items()}
        return psycopg.connect(**given, connect_timeout=10, autocommit=True)  # type: ignore[arg-type]

    def key_value(self, part: str | None, **changed: Any) -> redis.Redis:
        given: dict[str, Any] = {
            "ssl": True,
            "ssl_ca_certs": str(self.certificate("redis") / "ca.pem"),
            "retry": None,
        }
        if part:
            given["ssl_certfile"] = str(self.certificate(part) / "cert.pem")
            given["ssl_keyfile"] = str(self.certificate(part) / "key.pem")
        return redis.Redis(host="127.0.0.1", port=self.redis, **(given | changed))

    def context(self, part: str | None) -> ssl.SSLContext:
        """TLS of a client that trusts our authority, with the certificate of this part."""
        context = ssl.create_default_context(cafile=str(self.certificate("web") / "ca.pem"))
        if part:
            context.load_cert_chain(self.certificate(part) / "cert.pem", self.certificate(part) / "key.pem")
        return context

    def superuser(self, statement: str) -> list[str]:
        """What psql prints, a line a row, for the only one that PostgreSQL lets in by its socket."""
        command = [
            f"{bin_of_postgres()}/psql",
            "-X",
            "-q",
            "-t",
            "-A",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
            *self._by_socket(),
        ]
        return as_postgres(command, self.folder).stdout.splitlines()

    def redis_admin(self, *command: str) -> str:
        """What deploy/redis/admin.sh prints."""
        env = {"PATH": os.environ["PATH"], "TMPDIR": str(self.folder), "REDIS_PORT": str(self.redis)}
        env["CERTIFICATES"] = str(self.certificate("redis"))
        script = str(ROOT / "deploy" / "redis" / "admin.sh")
        return subprocess.run(  # noqa: S603 (our own script)
            ["sh", script, *command],  # noqa: S607
            env=env, capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip

    def renew(self, *parts: str) -> None:
        """New certificates for these parts, under the servers that run."""
        for part in parts:
            (self.certificate(part) / "cert.pem").unlink()
        assert make_certificates(self.folder / "certificates", *OWNERS) == [f"made {part}" for part in parts]

    def _by_socket(self) -> list[str]:
        return [
            f"--host={self.folder}/socket",
            f"--port={self.postgres}",
            "--username=postgres",
            f"--dbname={DATABASE}",
        ]

    def roles(self) -> None:
        """What the services `roles` and `rights` do."""
        command = [
            word.replace("/etc/wibestore", str(self.folder / "postgres"))
            for word in COMPOSE["services"]["roles"]["command"]
        ]
        command[0] = str(bin_of_postgres() / "psql")
        as_postgres([*command, *self._by_socket()], self.folder)


def as_postgres(command: list[str], folder: Path, *, wait: bool = True) -> Any:
    """PostgreSQL does not run as root, and lets its superuser in from the system's user postgres only."""
    user = _user("postgres") if os.geteuid() == 0 else None
    options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    options |= {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    if wait:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done
    with (folder / "postgres.log").open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, **options)  # noqa: S603


def until(answers: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a server that was just started."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, psycopg.Error, redis.RedisError):
            answers()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    raise AssertionError(f"{process.args} did not start:\n{log.read_text()[-4000:]}")


@contextlib.contextmanager
def running() -> Iterator[Plane]:
    """PostgreSQL with the roles and all migrations, and Redis; gone afterwards, with their folder."""
    folder = Path(mkdtemp(prefix="wibestore-plane-", dir="/tmp"))
    folder.chmod(0o711)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        plane = Plane(folder, free_port(), free_port())
        (folder / "plane_settings.py").write_text(SETTINGS)
        make_certificates(folder / "certificates", *OWNERS)
        (folder / "certificates").chmod(0o711)
        processes.append(_postgres(plane))
        plane.roles()
        migrated = plane.run(sys.executable, *plane.command("migrate")[1:], part="migrate")
        assert migrated.returncode == 0, migrated.stderr
        plane.roles()
        command = [
            word.replace("/etc/wibestore", str(ROOT / "deploy" / "redis")) for word in plane.command("redis")
        ]
        command += ["--tls-port", str(plane.redis)]
        command += [
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
            "--tls-ca-cert-file",
            f"{plane.certificate('redis')}/ca.pem",
        ]
        command += [
            "--tls-cert-file",
            f"{plane.certificate('redis')}/cert.pem",
            "--tls-key-file",
            f"{plane.certificate('redis')}/key.pem",
        ]
        with (folder / "redis.log").open("ab") as out:
            env = {"PATH": os.environ["PATH"], "TMPDIR": str(folder)}
            processes.append(subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out))  # noqa: S603
        until(lambda: plane.key_value("web").ping(), processes[-1], folder / "redis.log")
        yield plane
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(timeout=PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _postgres(plane: Plane) -> subprocess.Popen[bytes]:
    folder, programs = plane.folder, bin_of_postgres()
    shutil.copytree(ROOT / "deploy" / "postgres", folder / "postgres")
    for path in (folder / "postgres", *(folder / "postgres").iterdir()):
        path.chmod(0o755)
    for name in ("data", "socket"):
        (folder / name).mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(folder / name, "postgres")
    # As the image does it, with a password that no line of pg_hba.conf takes.
    as_postgres(
        [
            f"{programs}/initdb",
            "--pgdata",
            f"{folder}/data",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-sync",
        ],
        folder,
    )
    command = [word.replace("/etc/wibestore", f"{folder}/postgres") for word in plane.command("postgres")[1:]]
    command = [
        f"{programs}/postgres",
        "-D",
        f"{folder}/data",
        f"--port={plane.postgres}",
        *command,
        "--fsync=off",
    ]
    command += [f"--unix_socket_directories={folder}/socket", "--listen_addresses=127.0.0.1"]
    process: subprocess.Popen[bytes] = as_postgres(command, folder, wait=False)

    def answers() -> None:
        with socket.create_connection(("127.0.0.1", plane.postgres), timeout=5):
            pass

    until(answers, process, folder / "postgres.log")
    as_postgres(
        [
            f"{programs}/createdb",
            f"--host={folder}/socket",
            f"--port={plane.postgres}",
            "--username=postgres",
            DATABASE,
        ],
        folder,
    )
    return process
