"""Durable jobs: an outbox row in the caller's transaction, handed to Celery after the commit.

A broker that is down or wiped loses nothing: `sweep` hands over what was never picked up, and what was picked up by a
worker that died. A job runs at least once, so a task must be safe to run twice. A task that raises is tried again with
growing pauses, and parked as failed after JOB_MAX_ATTEMPTS; the admin shows those and can set them free. What cannot be done
because somebody else is down (`NotNow`) is not parked before PATIENCE is over.
"""

import logging
import random
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from marketplace.core import courier, scrub
from marketplace.core.models import Job

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
# A row that was handed over is normally picked up at once; the sweeper leaves it this long before it asks again.
GRACE = timedelta(seconds=20)
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=2)
KEEP_DONE = timedelta(days=7)
# How long somebody else's server may be down before a person has to look.
PATIENCE = timedelta(days=3)
SWEEP_BATCH = 500


class NotNow(Exception):
    """A task raises this when it is not its own fault: try again `after` that long (else after the usual pause), for days."""

    def __init__(self, why: str, *, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


def enqueue(
    task: str, *, key: str | None = None, delay: timedelta | None = None, **kwargs: Any
) -> Job | None:
    """Write a job into the caller's transaction. `task` is a Celery task's name, kwargs are JSON.

    With a key, a second call with the same key adds nothing and returns None.
    """
    run_at = timezone.now() + delay if delay else timezone.now()
    try:
        with transaction.atomic(savepoint=key is not None):
            job = Job.objects.create(task=task, kwargs=kwargs, key=key, run_at=run_at)
    except IntegrityError:
        if key is None:
            raise
        return None
    if not delay:
        transaction.on_commit(partial(_hand_over, job.pk))
    return job


def enqueue_all(task: str, each: Iterable[dict[str, Any]]) -> None:
    """Write one job for each of these kwargs, all in one statement."""
    enqueue_mixed((task, kwargs) for kwargs in each)


def enqueue_mixed(each: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Write one job for each pair of task and kwargs, all in one statement."""
    rows = [Job(task=task, kwargs=kwargs) for task, kwargs in each]
    Job.objects.bulk_create(rows)
    for job in rows:
        transaction.on_commit(partial(_hand_over, job.pk))


def _hand_over(job_id: uuid.UUID) -> None:
    courier.take(job_id)


def run(job_id: uuid.UUID, *, at: datetime) -> None:
    """Run one job if it is due and nobody else has it; record how it ended."""
    claimed = (
        Job.objects.filter(pk=job_id, run_at__lte=at)
        .filter(
            models.Q(status=Job.Status.PENDING) | models.Q(status=Job.Status.RUNNING, leased_until__lt=at)
        )
        .update(status=Job.Status.RUNNING, leased_until=at + LEASE, attempts=models.F("attempts") + 1)
    )
    if not claimed:
        return
    job = Job.objects.get(pk=job_id)
    try:
        current_app.tasks[job.task].run(**job.kwargs)
    except NotNow as error:
        logger.warning("job %s (%s) waits, attempt %s: %s", job.pk, job.task, job.attempts, error)
        _failed(job, error, at=at)
    except Exception as error:
        logger.exception("job %s (%s) failed, attempt %s", job.pk, job.task, job.attempts)
        _failed(job, error, at=at)
    else:
        # What it was about may be secret (a reset link): it is needed no more.
        Job.objects.filter(pk=job.pk).update(
            status=Job.Status.DONE, finished_at=timezone.now(), leased_until=None, last_error="", kwargs={}
        )


def _failed(job: Job, error: Exception, *, at: datetime) -> None:
    waits = isinstance(error, NotNow) and at < job.created_at + PATIENCE
    parked = job.attempts >= settings.JOB_MAX_ATTEMPTS and not waits
    pause = error.after if isinstance(error, NotNow) and error.after else pause_after(job.attempts)
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.FAILED if parked else Job.Status.PENDING,
        run_at=at + pause,
        leased_until=None,
        finished_at=timezone.now() if parked else None,
        # The type and the place are enough; a message may carry what the job was about.
        last_error=scrub.text(f"{type(error).__name__}: {error}")[:500],
    )


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many failures: doubling, with a jitter of a fifth so that a crowd does not return at once."""
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return pause * random.uniform(0.9, 1.1)  # noqa: S311  # nosec B311


def sweep(*, at: datetime) -> int:
    """Hand over every job that is due and was not picked up, or whose worker died. Returns how many."""
    overdue = models.Q(status=Job.Status.PENDING, run_at__lte=at - GRACE) | models.Q(
        status=Job.Status.RUNNING, leased_until__lt=at
    )
    # A job with a delay is handed over by nobody else, so it does not wait for the grace as well.
    delayed = models.Q(
        status=Job.Status.PENDING, run_at__lte=at, run_at__gt=models.F("created_at") + timedelta(seconds=1)
    )
    ids = list(
        Job.objects.filter(overdue | delayed).order_by("run_at").values_list("pk", flat=True)[:SWEEP_BATCH]
    )
    for job_id in ids:
        _hand_over(job_id)
    return len(ids)


def retry(job: Job) -> None:
    """Set a parked job free: it starts again with all its attempts."""
    freed = Job.objects.filter(pk=job.pk, status=Job.Status.FAILED).update(
        status=Job.Status.PENDING, attempts=0, run_at=timezone.now(), finished_at=None
    )
    if freed:
        transaction.on_commit(partial(_hand_over, job.pk))


def forget_finished(*, at: datetime) -> int:
    """Delete jobs that were done a week ago. Failed ones stay until a person has seen to them."""
    deleted, _by_model = Job.objects.filter(status=Job.Status.DONE, finished_at__lt=at - KEEP_DONE).delete()
    return deleted
