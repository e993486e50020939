"""A connection that is kept is looked at before it is used again; inserts are plain, and composed once."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.backends.postgresql import base
from django.db.models import Value
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from marketplace.core.models import Job
from marketplace.core.postgres import compiler

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def other():
    """A second connection to the same database, as an administrator has."""
    copy = connection.copy()
    yield copy
    copy.close()


def backend(wrapper):
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_a_connection_that_stands_is_used_on_without_asking(monkeypatch):
    backend(connection)
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda _self: pytest.fail("asked the server"))

    assert connection.is_usable()


def test_one_that_the_server_has_closed_is_replaced_before_the_next_request_notices(other):
    dead = backend(connection)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [dead])
    assert not connection.is_usable()

    # What Django does at the beginning of a request.
    connection.health_check_enabled, connection.health_check_done = True, False
    connection.close_if_health_check_failed()

    assert backend(connection) != dead


def test_one_that_stands_in_a_broken_transaction_is_not_usable():
    connection.set_autocommit(False)
    with pytest.raises(Exception, match="division by zero"), connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")

    try:
        assert not connection.is_usable()
    finally:
        connection.rollback()
        connection.set_autocommit(True)


def test_two_rows_are_inserted_as_values_and_many_as_arrays():
    with CaptureQueriesContext(connection) as asked:
        Job.objects.bulk_create([Job(task="few") for _number in range(2)])
        Job.objects.bulk_create([Job(task="many") for _number in range(50)])

    few, many = (query["sql"] for query in asked if query["sql"].startswith("INSERT"))
    assert "UNNEST" not in few
    assert "UNNEST" in many
    assert Job.objects.count() == 52


def test_a_row_that_is_saved_again_and_again_is_composed_once(monkeypatch):
    Job.objects.create(task="first")
    composed = []
    monkeypatch.setattr(compiler.django.SQLInsertCompiler, "as_sql", lambda _self: composed.append(1))

    second = Job.objects.create(task="second", kwargs={"of": "second"})

    assert composed == []
    second.refresh_from_db()
    assert (second.task, second.kwargs, second.status) == ("second", {"of": "second"}, Job.Status.PENDING)


def test_a_key_that_the_database_gives_comes_back_each_time():
    rows = [Group.objects.create(name=name) for name in ("first", "second", "third")]

    assert len({row.pk for row in rows}) == 3
    assert [Group.objects.get(pk=row.pk).name for row in rows] == [row.name for row in rows]


def test_a_value_that_the_database_computes_is_not_taken_for_a_constant():
    Job.objects.create(task=Lower(Value("FIRST")))
    Job.objects.create(task="second")
    Job.objects.create(task=Lower(Value("THIRD")))

    assert set(Job.objects.values_list("task", flat=True)) == {"first", "second", "third"}
