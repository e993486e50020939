"""Prepared queries give what the ORM's own query gives, and keep its rules."""

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.prepared import Prepared, Slot
from marketplace.notifications.models import Notification, NotificationType
from marketplace.notifications.services import notify

pytestmark = pytest.mark.django_db


def of_user():
    return Prepared(
        lambda: Notification.objects.select_related("type").filter(user=Slot("user")).order_by("title")
    )


@pytest.fixture
def told():
    users = [UserFactory(), UserFactory()]
    for kind in ("welcome", "deposit_failed"):
        for user in users:
            notify(user=user, kind=kind, context={"amount": "1"})
    return users


def test_each_call_gives_the_rows_of_its_own_values_with_what_is_joined(told, django_assert_num_queries):
    found = of_user()

    for user in told:
        with django_assert_num_queries(1):
            rows = found(user=user.pk)
            codes = {row.type.code for row in rows}

        assert rows == list(Notification.objects.filter(user=user).order_by("title"))
        assert [row.data for row in rows] == [
            row.data for row in Notification.objects.filter(user=user).order_by("title")
        ]
        assert codes == {"welcome", "deposit-failed"}


def test_it_is_compiled_once(told):
    built = []

    def build():
        built.append(1)
        return Notification.objects.filter(user=Slot("user"))

    found = Prepared(build)
    for _time in range(3):
        found(user=told[0].pk)

    assert len(built) == 1


def test_a_column_left_out_is_read_when_it_is_asked_for(told, django_assert_num_queries):
    (kind,) = Prepared(lambda: NotificationType.objects.only("code").filter(code=Slot("code")))(
        code="welcome"
    )

    with django_assert_num_queries(1):
        assert kind.name == "Welcome to WibeStore"


def test_a_found_row_is_saved_as_an_update(told):
    (row, *_rest) = of_user()(user=told[0].pk)

    row.title = "Changed"
    row.save(update_fields=["title"])

    assert Notification.objects.filter(title="Changed").count() == 1


def test_a_row_is_locked_only_within_a_transaction(told):
    lock = Prepared(lambda: Notification.objects.select_for_update().filter(user=Slot("user")))
    lock(user=told[0].pk)

    connection.in_atomic_block = False
    try:
        with pytest.raises(TransactionManagementError):
            lock(user=told[0].pk)
    finally:
        connection.in_atomic_block = True


@pytest.mark.postgres
def test_the_lock_is_in_the_statement(told, django_assert_num_queries):
    lock = Prepared(lambda: Notification.objects.select_for_update().filter(user=Slot("user")))

    with transaction.atomic(), django_assert_num_queries(1) as asked:
        lock(user=told[0].pk)

    assert "FOR UPDATE" in asked.captured_queries[0]["sql"]


def test_none_and_a_missing_value_are_refused(told):
    found = of_user()

    with pytest.raises(ValueError, match="None"):
        found(user=None)
    with pytest.raises(KeyError):
        found()


def test_an_annotated_query_is_refused(told):
    counted = Prepared(lambda: Notification.objects.annotate(of=F("type__code")).filter(user=Slot("user")))

    with pytest.raises(ValueError, match="annotations"):
        counted(user=told[0].pk)
