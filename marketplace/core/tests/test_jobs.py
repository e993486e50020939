from datetime import timedelta

import pytest
from celery import current_app, shared_task
from django.db import transaction
from django.utils import timezone

from marketplace.core import jobs
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs

ran = []


@shared_task(name="tests.note")
def note(word):
    ran.append(word)


@shared_task(name="tests.break")
def break_down():
    raise RuntimeError("the mail server is down")


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@pytest.fixture
def handed_over(monkeypatch):
    """The ids that were sent to the broker."""
    sent = []
    monkeypatch.setattr(
        "marketplace.core.courier.current_app.send_task", lambda _name, args: sent.extend(args[0])
    )
    return sent


@pytest.mark.django_db
def test_a_job_runs_once_and_forgets_what_it_was_about():
    job = jobs.enqueue("tests.note", word="hello")

    jobs.run(job.pk, at=timezone.now())
    jobs.run(job.pk, at=timezone.now())

    job.refresh_from_db()
    assert ran == ["hello"]
    assert (job.status, job.kwargs) == (Job.Status.DONE, {})


@pytest.mark.django_db(transaction=True)
def test_a_job_of_a_transaction_that_is_undone_never_was(handed_over):
    with transaction.atomic():
        jobs.enqueue("tests.note", word="never")
        transaction.set_rollback(True)

    assert not Job.objects.exists()
    assert handed_over == []


@pytest.mark.django_db(transaction=True)
def test_a_job_is_handed_over_after_the_commit_and_not_before(handed_over):
    with transaction.atomic():
        job = jobs.enqueue("tests.note", word="soon")
        assert handed_over == []

    assert handed_over == [str(job.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_loses_nothing(monkeypatch):
    def down(*_args, **_kwargs):
        raise ConnectionError

    monkeypatch.setattr("marketplace.core.courier.current_app.send_task", down)
    job = jobs.enqueue("tests.note", word="later")
    monkeypatch.undo()
    sent = []
    monkeypatch.setattr(
        "marketplace.core.courier.current_app.send_task", lambda _name, args: sent.extend(args[0])
    )

    assert jobs.sweep(at=timezone.now()) == 0
    assert jobs.sweep(at=timezone.now() + jobs.GRACE) == 1
    assert sent == [str(job.pk)]


@pytest.mark.django_db
def test_the_same_key_is_enqueued_once():
    first = jobs.enqueue("tests.note", key="once", word="a")
    second = jobs.enqueue("tests.note", key="once", word="b")

    assert first is not None
    assert second is None
    assert run_jobs() == ["tests.note"]
    assert ran == ["a"]


@pytest.mark.django_db
def test_a_job_that_fails_is_tried_again_with_growing_pauses_and_parked_in_the_end(settings):
    settings.JOB_MAX_ATTEMPTS = 3
    job = jobs.enqueue("tests.break")
    at, pauses = timezone.now(), []

    for _attempt in range(3):
        jobs.run(job.pk, at=at)
        job.refresh_from_db()
        pauses.append(job.run_at - at)
        at = job.run_at

    assert job.status == Job.Status.FAILED
    assert pauses[0] < pauses[1] < pauses[2]
    assert "the mail server is down" in job.last_error
    jobs.run(job.pk, at=at + timedelta(days=1))
    job.refresh_from_db()
    assert job.attempts == 3


@pytest.mark.django_db
def test_a_job_that_waits_for_somebody_else_is_not_parked_for_days_and_comes_when_it_was_told_to(
    settings, monkeypatch
):
    settings.JOB_MAX_ATTEMPTS = 2

    def wait(**_kwargs):
        raise jobs.NotNow("they are down", after=timedelta(seconds=17))

    job = jobs.enqueue("tests.note", word="x")
    monkeypatch.setattr(current_app.tasks["tests.note"], "run", wait)
    at = job.created_at
    while at < job.created_at + jobs.PATIENCE:
        jobs.run(job.pk, at=at)
        job.refresh_from_db()
        assert (job.status, job.run_at - at) == (Job.Status.PENDING, timedelta(seconds=17))
        at = max(job.run_at, at + timedelta(hours=3))

    jobs.run(job.pk, at=at)
    job.refresh_from_db()
    assert job.status == Job.Status.FAILED
    assert job.last_error == "NotNow: they are down"


@pytest.mark.django_db
def test_a_parked_job_can_be_set_free_in_the_admin(admin_client, settings):
    settings.JOB_MAX_ATTEMPTS = 1
    job = jobs.enqueue("tests.break")
    jobs.run(job.pk, at=timezone.now())

    page = admin_client.get("/admin/core/job/")
    admin_client.post("/admin/core/job/", {"action": "run_again", "_selected_action": [str(job.pk)]})

    job.refresh_from_db()
    assert "the mail server is down" in page.content.decode()
    assert (job.status, job.attempts) == (Job.Status.PENDING, 0)


@pytest.mark.django_db
def test_the_admin_does_not_show_what_a_job_is_about(admin_client):
    job = jobs.enqueue("tests.note", word="https://site/reset/secret-key/")

    page = admin_client.get(f"/admin/core/job/{job.pk}/change/")

    assert page.status_code == 200
    assert "secret-key" not in page.content.decode()


@pytest.mark.django_db
def test_a_job_whose_worker_died_is_found_again(handed_over):
    job = jobs.enqueue("tests.note", word="again")
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING, leased_until=now - timedelta(seconds=1), attempts=1
    )
    handed_over.clear()

    assert jobs.sweep(at=now) == 1
    jobs.run(job.pk, at=now)

    assert ran == ["again"]


@pytest.mark.django_db
def test_a_job_with_a_delay_waits_and_is_then_swept(handed_over):
    job = jobs.enqueue("tests.note", delay=timedelta(minutes=5), word="later")

    jobs.run(job.pk, at=timezone.now())
    assert ran == []
    assert jobs.sweep(at=timezone.now() + timedelta(minutes=5, seconds=1)) == 1
    assert handed_over == [str(job.pk)]


@pytest.mark.django_db
def test_finished_jobs_are_forgotten_after_a_week_and_failed_ones_kept():
    done, failed = jobs.enqueue("tests.note", word="x"), jobs.enqueue("tests.note", word="y")
    long_ago = timezone.now() - timedelta(days=8)
    Job.objects.filter(pk=done.pk).update(status=Job.Status.DONE, finished_at=long_ago)
    Job.objects.filter(pk=failed.pk).update(status=Job.Status.FAILED, finished_at=long_ago)

    assert jobs.forget_finished(at=timezone.now()) == 1
    assert list(Job.objects.all()) == [failed]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_that_get_the_same_job_run_it_once():
    job = jobs.enqueue("tests.note", word="one")

    in_parallel(*[lambda: jobs.run(job.pk, at=timezone.now())] * 4)

    assert ran == ["one"]
