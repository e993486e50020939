"""Serve the whole product from one process: pages and sockets on uvicorn, Celery worker and beat as threads."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn
from celery import Celery
from celery.app import app_or_default
from celery.apps.worker import Worker
from celery.beat import EmbeddedService
from django.conf import settings
from django.core.management.base import BaseCommand


@contextlib.contextmanager
def embedded(app: Celery, *, threads: int) -> Iterator[None]:
    """Run a Celery worker and beat in this process for as long as the context lasts."""
    worker = Worker(
        app=app, pool_cls="threads", concurrency=threads, hostname="embedded@local", quiet=True,
        without_gossip=True, without_mingle=True, without_heartbeat=True, loglevel="WARNING",
    )  # fmt: skip
    at_work = threading.Thread(target=super(Worker, worker).start, name="worker", daemon=True)
    at_work.start()
    # With thread=True it is a thread, whatever the stubs think of the process that it might be.
    beat: Any = EmbeddedService(app, thread=True, scheduler_cls="celery.beat:Scheduler", max_interval=5)
    beat.daemon = True
    beat.start()
    try:
        yield
    finally:
        beat.stop()
        worker.stop()
        at_work.join(5)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--threads", type=int, default=2, help="worker threads")
        parser.add_argument("--no-worker", action="store_true", help="serve only; Celery runs elsewhere")

    def handle(
        self, *_args: Any, host: str, port: int, threads: int, no_worker: bool, **_options: Any
    ) -> None:
        # uvicorn raises the signal again after its shutdown; this turns it into an ordinary end, so that the worker stops too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
        own_worker = not no_worker and settings.CELERY_BROKER_URL == "memory://"
        with embedded(app_or_default(), threads=threads) if own_worker else contextlib.nullcontext():
            self.stdout.write(f"Serving at http://{host}:{port}/ (stop with Ctrl-C)")
            uvicorn.run(
                settings.ASGI_APPLICATION.replace(".application", ":application"),
                host=host, port=port, lifespan="off", log_level="warning", timeout_graceful_shutdown=5,
                # permessage-deflate doubles what an idle socket costs. The rest stands in docs/live.md.
                ws_per_message_deflate=False, ws_max_size=64 * 1024, ws_ping_interval=20, ws_ping_timeout=20,
            )  # fmt: skip
