"""What production refuses, what it must not serve, and that every setting has its place in .env.example."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from cryptography.fernet import Fernet
from django.conf import settings

from marketplace.core.secrets import FromFiles
from project.settings import base, providers

ROOT = Path(settings.BASE_DIR)
SECRETS = ("SECRET_KEY", "FERNET_KEY", "DATABASE_URL", "ALLOWED_HOSTS", "EMAIL_HOST")
# Named for people who look for them: read by docker-compose.yml or the shell, or kept for what is not built yet.
NOT_READ = re.compile(
    r"(POSTGRES|DB|JWT|GOOGLE|PAYME|CLICK|PAYNET|UZCARD|HUMO|STRIPE)_\w+|DJANGO_SETTINGS_MODULE"
)

LOOK_AROUND = """
import json, django
django.setup()
from django.conf import settings
from django.urls import get_resolver
def routes(patterns, before=""):
    for one in patterns:
        path = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from routes(one.url_patterns, path)
        else:
            yield path
names = ["DEBUG", "DEVELOPER_PAGES", "PAYMENT_PROVIDERS", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE",
         "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_NAME", "SESSION_COOKIE_HTTPONLY", "AXES_ENABLED"]
print(json.dumps({"routes": sorted(routes(get_resolver().url_patterns)), **{n: getattr(settings, n) for n in names}}))
"""


def production(tmp_path, code="import django; django.setup()", **env):
    """Start Python on the production settings with nothing in the environment but this."""
    fixed = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "project.settings.production",
        "LOG_DIR": str(tmp_path),
    }
    # Given but empty, so that no .env file of this machine can help.
    empty = dict.fromkeys(
        [*SECRETS, "EMAIL_HOST_PASSWORD", "REDIS_URL", "SENTRY_DSN", "AWS_STORAGE_BUCKET_NAME"], ""
    )
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], env={**empty, **fixed, **env}, cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def fit():
    return {
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FERNET_KEY": Fernet.generate_key().decode(),
        "DATABASE_URL": "sqlite:///:memory:",
        "ALLOWED_HOSTS": "wibestore.example",
        "EMAIL_HOST": "mail.wibestore.example",
        "EMAIL_HOST_PASSWORD": secrets.token_urlsafe(20),
    }


# --- Production -------------------------------------------------------------------------------------


def test_production_refuses_to_start_without_secrets_and_names_each(tmp_path):
    started = production(tmp_path)

    assert started.returncode != 0
    assert "Refusing to start in production" in started.stderr
    for name in SECRETS:
        assert f"- {name} is not set." in started.stderr


def test_production_refuses_the_samples_and_names_each(tmp_path):
    samples = {
        "SECRET_KEY": base.SAMPLE_SECRET_KEY,
        "FERNET_KEY": f"{Fernet.generate_key().decode()},{base.SAMPLE_FERNET_KEY}",
        "ALLOWED_HOSTS": "*",
    }

    started = production(tmp_path, **{**fit(), **samples})

    assert started.returncode != 0
    assert "- SECRET_KEY is a sample value" in started.stderr
    assert "- FERNET_KEY is a sample value" in started.stderr
    assert "- ALLOWED_HOSTS must name the hosts" in started.stderr
    assert "- EMAIL_HOST" not in started.stderr
    assert base.SAMPLE_SECRET_KEY not in started.stderr, "a secret is never repeated"


def test_production_starts_with_good_secrets_and_serves_no_door_of_developers(tmp_path):
    started = production(tmp_path, LOOK_AROUND, **fit())

    assert started.returncode == 0, started.stderr
    found = json.loads(started.stdout.splitlines()[-1])
    assert "health/" in found["routes"]
    assert [path for path in found["routes"] if re.match(r"\^?(dev|sandbox|media)/|\^?__debug__", path)] == []
    assert (found["DEBUG"], found["DEVELOPER_PAGES"], found["PAYMENT_PROVIDERS"]) == (False, False, {})
    assert found["SECURE_SSL_REDIRECT"]
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SESSION_COOKIE_HTTPONLY"]
    assert found["AXES_ENABLED"]
    assert found["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert found["SECURE_HSTS_SECONDS"] >= 365 * 24 * 3600


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SMS_PROVIDER": "console"}, "SMS_PROVIDER must be eskiz or empty"),
        ({"SMS_PROVIDER": "eskiz", "ESKIZ_EMAIL": "a@b.uz"}, "ESKIZ_EMAIL or ESKIZ_PASSWORD is not set"),
        ({"ESKIZ_BASE_URL": "http://notify.eskiz.uz"}, "ESKIZ_BASE_URL must be an https:// address"),
        ({"GOOGLE_ISSUER": "http://127.0.0.1:9"}, "GOOGLE_ISSUER must be an https:// address"),
        ({"LOG_SHIP_URL": "syslog://logs.example:514"}, "LOG_SHIP_URL must be syslog+tls://HOST:PORT"),
        (
            {"LOG_SHIP_URL": "syslog+tls://logs.example?ca=/nowhere"},
            "LOG_SHIP_URL names certificates that cannot be read",
        ),
    ],
)
def test_production_refuses_what_is_not_safe(tmp_path, given, said):
    started = production(tmp_path, **{**fit(), **given})

    assert started.returncode != 0
    assert said in started.stderr


# --- Secrets that stand in files ---------------------------------------------------------------------

SHOW = (
    "import json; from django.conf import settings;"
    "print(json.dumps([settings.SECRET_KEY, settings.PAYMENT_CONFIG['kaspi']['token'], settings.DATABASES['default']['NAME']]))"
)
TOKEN = r"$TOKEN\$with $igns "


def in_files(tmp_path, values):
    """The same as variables that name files, as Docker, Kubernetes and systemd hand secrets over."""
    for name, value in values.items():
        (tmp_path / name).write_text(value)
    return {f"{name}_FILE": str(tmp_path / name) for name in values}


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_secrets_may_stand_in_files(tmp_path, end):
    key = secrets.token_urlsafe(60)
    values = {"SECRET_KEY": key, "KASPI_URL_TOKEN": TOKEN, "KASPI_LINK_TEMPLATE": "https://kaspi.kz/{reference}",
              "DATABASE_URL": "sqlite:////tmp/of-a-file.sqlite3"}  # fmt: skip
    besides = {name: value for name, value in fit().items() if name not in values}

    started = production(
        tmp_path, SHOW, **besides, **in_files(tmp_path, {one: value + end for one, value in values.items()})
    )

    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout) == [key, TOKEN, "/tmp/of-a-file.sqlite3"]  # noqa: S108


def test_every_secret_may_stand_in_a_file(tmp_path):
    """Production looks at each of them before it starts: it has read them all from their files, and refuses them all."""
    names = [
        "SECRET_KEY", "FERNET_KEY", "EMAIL_HOST_PASSWORD", "SENTRY_DSN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET",
        "JWT_SECRET_KEY", "ESKIZ_PASSWORD", "GOOGLE_CLIENT_SECRET", *providers.secrets(base.env),
    ]  # fmt: skip
    sample = "a-sample-of-the-repository"
    code = (
        f"from marketplace.core import secrets; secrets._example_values = lambda _: {{{sample!r}}};"
        "import django; django.setup()"
    )
    besides = {name: value for name, value in fit().items() if name not in names}

    started = production(tmp_path, code, **besides, **in_files(tmp_path, dict.fromkeys(names, sample)))

    assert started.returncode != 0
    assert [name for name in names if f"- {name} is a sample value" not in started.stderr] == []


def test_only_one_newline_at_the_end_is_cut():
    environment = FromFiles({"A_FILE": "/dev/null", "B": r"x\$y", "C": ""})

    assert environment["A"] == ""
    assert environment["B"] == r"x\\$y", "django-environ takes one away"
    assert set(environment) == {"A", "A_FILE", "B", "C"}
    with pytest.raises(KeyError):
        environment["D"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"\xff"), "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_stops_the_start_and_is_named(tmp_path, made, said):
    made(tmp_path / "key")

    started = production(tmp_path, **{**fit(), "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")})

    assert started.returncode != 0
    assert f"SECRET_KEY_FILE: {tmp_path / 'key'} cannot be read ({said})" in started.stderr


def test_a_value_and_a_file_of_it_stop_the_start(tmp_path):
    given = fit()

    started = production(tmp_path, **given, **in_files(tmp_path, {"SECRET_KEY": given["SECRET_KEY"]}))

    assert started.returncode != 0
    assert "Both SECRET_KEY and SECRET_KEY_FILE are given" in started.stderr
    assert given["SECRET_KEY"] not in started.stderr


GOOGLE = {
    "GOOGLE_CLIENT_ID": "4711.apps.googleusercontent.com",
    "GOOGLE_CLIENT_SECRET": secrets.token_urlsafe(20),
}


@pytest.mark.parametrize(("given", "is_there"), [({}, False), (GOOGLE, True)])
def test_forms_may_lead_to_google_only_where_it_is_offered(tmp_path, given, is_there):
    look = (
        "import json; from django.conf import settings; print(json.dumps(settings.SECURE_CSP['form-action']))"
    )

    started = production(tmp_path, look, **{**fit(), **given})

    assert started.returncode == 0, started.stderr
    assert ("https://accounts.google.com" in json.loads(started.stdout)) is is_there


# --- .env.example -----------------------------------------------------------------------------------


def names_that_are_read():
    sources = [
        *(ROOT / "project").rglob("*.py"),
        *(ROOT / "marketplace").rglob("*.py"),
        *(ROOT / "tasks").rglob("*.py"),
    ]
    texts = [file.read_text() for file in sources if "tests" not in file.parts]
    read = {name for text in texts for name in re.findall(r"\benv\.\w+\(\s*\"([A-Z][A-Z0-9_]*)\"", text)}
    return read | {value.variable for provider in providers.PROVIDERS for value in provider.values}


def names_in_the_example():
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line.split("=", 1)[0] for line in lines if re.match(r"[A-Z][A-Z0-9_]*=", line)}


def test_every_variable_that_is_read_is_explained():
    assert names_that_are_read() - names_in_the_example() == set(), "add it to .env.example, with a comment"


def test_every_variable_that_is_explained_is_read():
    unread = {name for name in names_in_the_example() - names_that_are_read() if not NOT_READ.fullmatch(name)}

    assert unread == set(), "nothing reads it: take it out of .env.example"


# --- Tasks ------------------------------------------------------------------------------------------


@pytest.fixture
def tasks(db):
    """The names a worker knows (it runs Django's checks while it loads them, hence the database)."""
    current_app.loader.import_default_modules()
    return set(current_app.tasks)


def test_every_scheduled_task_exists(tasks):
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= tasks


def test_every_job_that_the_code_queues_exists(tasks):
    queued = {
        name
        for file in (ROOT / "marketplace").rglob("*.py")
        if "tests" not in file.parts
        for name in re.findall(r"enqueue\(\s*\"([\w.]+)\"", file.read_text())
    }

    assert queued
    assert queued <= tasks


def test_every_task_module_is_loaded_by_a_worker(tasks):
    declared = {
        name
        for file in (ROOT / "tasks").glob("*.py")
        for name in re.findall(r"name=\"(tasks\.[\w.]+)\"", file.read_text())
    }

    assert declared <= tasks


def test_recovery_codes_are_hashed_as_passwords_should_be():
    rounds, memory, lanes = base.RECOVERY_CODES_COST

    # The least of what OWASP's Password Storage Cheat Sheet names for Argon2id: memory in KiB at two rounds.
    assert (rounds, lanes) == (2, 1)
    assert memory >= 19 * 1024
