"""`manage.py serve`: the whole product in one process, and a clean end."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DEADLINE = 90  # seconds, on a busy machine; usually a third of it

PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", "core", verbosity=0)
from django.utils import timezone
from datetime import timedelta
from marketplace.core.models import Job
Job.objects.create(task="tasks.core.forget_finished_jobs", run_at=timezone.now() - timedelta(minutes=5))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(true, process):
    """Ask until it is so; give up at the deadline, or as soon as the process has ended."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        if true():
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
    return False


@pytest.fixture
def env(tmp_path):
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings.development",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'serve.sqlite3'}",
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "",
        "DEBUG": "false",
    }


def test_one_process_serves_pages_runs_what_was_left_lying_and_stops_cleanly(env, tmp_path):
    subprocess.run([sys.executable, "-c", PREPARE], env=env, cwd=ROOT, check=True, timeout=DEADLINE)  # noqa: S603
    port = free_port()
    log = (tmp_path / "serve.log").open("w+")
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "manage.py", "serve", "--port", str(port)], env=env, cwd=ROOT, stdout=log, stderr=log
    )

    def is_healthy():
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=5).status == 200

    def is_done():
        with sqlite3.connect(tmp_path / "serve.sqlite3", timeout=5) as database:
            return database.execute("SELECT status FROM core_job").fetchone() == ("done",)

    def said():
        return (tmp_path / "serve.log").read_text()[-4000:]

    try:
        assert wait_until(is_healthy, process), said()
        assert wait_until(is_done, process), said()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=DEADLINE) == 0, said()
    finally:
        if process.poll() is None:
            process.kill()
        log.close()
