"""Prepared queries and updates give and do what the ORM's own query gives, and keep its rules."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, When
from django.db.transaction import TransactionManagementError

from marketplace.core.models import Job
from marketplace.core.prepared import Prepared, PreparedUpdate, Slot

pytestmark = pytest.mark.django_db


@pytest.fixture
def jobs():
    return [Job.objects.create(task=f"tasks.{name}", kwargs={"of": name}) for name in ("first", "second")]


def test_each_call_gives_the_rows_of_its_own_value(jobs, django_assert_num_queries):
    found = Prepared(lambda: Job.objects.filter(pk=Slot("pk")))

    for job in jobs:
        with django_assert_num_queries(1):
            (row,) = found(pk=job.pk)
            known = (row.pk, row.task, row.kwargs, row.run_at)

        assert known == (job.pk, job.task, job.kwargs, job.run_at)


def test_order_and_joined_rows_are_the_orms_own(django_assert_num_queries):
    def query(app):
        of_app = Permission.objects.select_related("content_type").filter(content_type__app_label=app)
        return of_app.order_by("-codename")

    found = Prepared(lambda: query(Slot("app")))

    for app in ("core", "auth"):
        with django_assert_num_queries(1):
            rows = [(row.codename, row.content_type.model) for row in found(app=app)]

        assert rows == [(row.codename, row.content_type.model) for row in query(app)]
        assert rows


def test_it_is_compiled_once(jobs):
    built = []

    def build():
        built.append(1)
        return Job.objects.filter(pk=Slot("pk"))

    found = Prepared(build)
    for _time in range(3):
        found(pk=jobs[0].pk)

    assert len(built) == 1


def test_a_column_left_out_is_read_when_it_is_asked_for(jobs, django_assert_num_queries):
    (job,) = Prepared(lambda: Job.objects.only("task").filter(pk=Slot("pk")))(pk=jobs[0].pk)

    with django_assert_num_queries(1):
        assert job.kwargs == {"of": "first"}


def test_a_found_row_is_saved_as_an_update(jobs):
    (job,) = Prepared(lambda: Job.objects.filter(pk=Slot("pk")))(pk=jobs[0].pk)

    job.task = "tasks.other"
    job.save(update_fields=["task"])

    assert Job.objects.filter(task="tasks.other").count() == 1


def test_a_choice_is_sent_as_its_word(jobs):
    found = Prepared(lambda: Job.objects.filter(status=Slot("status")))

    assert {job.pk for job in found(status=Job.Status.PENDING)} == {job.pk for job in jobs}
    assert found(status=Job.Status.DONE) == []


def test_a_row_is_locked_only_within_a_transaction(jobs):
    lock = Prepared(lambda: Job.objects.select_for_update().filter(pk=Slot("pk")))
    lock(pk=jobs[0].pk)

    connection.in_atomic_block = False
    try:
        with pytest.raises(TransactionManagementError):
            lock(pk=jobs[0].pk)
    finally:
        connection.in_atomic_block = True


@pytest.mark.postgres
def test_the_lock_is_in_the_statement(jobs, django_assert_num_queries):
    lock = Prepared(lambda: Job.objects.select_for_update().filter(pk=Slot("pk")))

    with transaction.atomic(savepoint=False), django_assert_num_queries(1) as asked:
        lock(pk=jobs[0].pk)

    assert "FOR UPDATE" in asked.captured_queries[0]["sql"]


def test_none_and_a_missing_value_are_refused():
    found = Prepared(lambda: Job.objects.filter(pk=Slot("pk")))

    with pytest.raises(ValueError, match="None"):
        found(pk=None)
    with pytest.raises(KeyError):
        found()


def test_an_annotated_query_is_refused(jobs):
    counted = Prepared(lambda: Job.objects.annotate(again=F("task")).filter(pk=Slot("pk")))

    with pytest.raises(ValueError, match="annotations"):
        counted(pk=jobs[0].pk)


def test_an_update_sets_what_the_orm_would_set(jobs):
    first, second = jobs
    later = first.run_at + timedelta(hours=1)
    update = PreparedUpdate(
        lambda: Job.objects.filter(task=Slot("task")),
        run_at=Slot("at"),
        attempts=Case(
            When(status=Slot("status"), then=F("attempts") + 1),
            default=F("attempts"),
            output_field=IntegerField(),
        ),
        last_error="",
    )

    assert update(task="tasks.first", at=later, status=Job.Status.PENDING) == 1
    assert update(task="tasks.first", at=later, status=Job.Status.DONE) == 1
    assert update(task="tasks.none", at=later, status=Job.Status.PENDING) == 0

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.run_at, first.attempts) == (later, 1)
    assert (second.run_at < later, second.attempts) == (True, 0)


def test_an_update_is_compiled_once_and_costs_one_statement(jobs, django_assert_num_queries):
    built = []

    def build():
        built.append(1)
        return Job.objects.filter(pk=Slot("pk"))

    update = PreparedUpdate(build, task=Slot("task"))
    for number, job in enumerate(jobs):
        with django_assert_num_queries(1):
            update(pk=job.pk, task=f"tasks.{number}")

    assert len(built) == 1
    assert [Job.objects.get(pk=job.pk).task for job in jobs] == ["tasks.0", "tasks.1"]
