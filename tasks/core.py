"""The outbox: running its jobs, and finding those that were left lying."""

import uuid

from celery import shared_task
from django.utils import timezone

from marketplace.core import files, jobs


@shared_task(name="tasks.core.run_jobs")
def run_jobs(job_ids: list[str]) -> None:
    for job_id in job_ids:
        jobs.run(uuid.UUID(job_id), at=timezone.now())


@shared_task(name="tasks.core.sweep_jobs")
def sweep_jobs() -> None:
    jobs.sweep(at=timezone.now())


@shared_task(name="tasks.core.forget_finished_jobs")
def forget_finished_jobs() -> None:
    jobs.forget_finished(at=timezone.now())


@shared_task(name="tasks.core.delete_files")
def delete_files(storage: str, names: list[str]) -> None:
    files.delete(storage=storage, names=names)
