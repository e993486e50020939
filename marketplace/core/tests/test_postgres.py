"""A connection that is kept between requests is looked at before it is used again."""

import pytest
from django.db import connection
from django.db.backends.postgresql import base
from django.test.utils import CaptureQueriesContext

from marketplace.core.models import Job

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
