"""What tests share: running things at the same moment, and running the jobs that are due."""

import threading
from collections.abc import Callable
from typing import Any

from celery import current_app
from django.db import connections
from django.utils import timezone

from marketplace.core import jobs
from marketplace.core.models import Job


def in_parallel(*calls: Callable[[], Any]) -> list[Any]:
    """Call all at the same moment, each in its own thread and connection. Returns results or exceptions, in order."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            results[number] = call()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a call did not end: deadlock?"
    return results


def run_jobs(*, rounds: int = 5) -> list[str]:
    """Run every job that is due, and those they enqueue. Returns the names of the tasks that ran."""
    current_app.loader.import_default_modules()  # a worker does this when it starts
    ran: list[str] = []
    for _round in range(rounds):
        due = list(Job.objects.filter(status=Job.Status.PENDING, run_at__lte=timezone.now()).order_by("pk"))
        if not due:
            break
        for job in due:
            jobs.run(job.pk, at=timezone.now())
            ran.append(job.task)
    return ran
