"""Generations and what is remembered until one changes."""

import pytest
from django.db import transaction

from marketplace.core.cache import bump, generation, remembered
from marketplace.core.redis_cache import RedisCache

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def counted():
    """A computation that tells how often it ran."""
    calls = []

    def compute():
        calls.append(len(calls))
        return f"value {len(calls)}"

    compute.calls = calls
    return compute


def test_a_stamp_stays_until_one_of_its_tags_is_bumped():
    before = generation("one", "two")

    bump("three")
    assert generation("one", "two") == before

    bump("two")
    assert generation("one", "two") != before


def test_a_stamp_changes_with_the_commit_and_not_before():
    before = generation("one")

    with transaction.atomic():
        bump("one")
        assert generation("one") == before

    assert generation("one") != before


def test_a_transaction_that_is_undone_bumps_nothing():
    before = generation("one")

    with transaction.atomic():
        bump("one")
        transaction.set_rollback(True)

    assert generation("one") == before


def test_the_bumps_of_one_transaction_leave_together(django_assert_num_queries, monkeypatch):
    sent = []
    monkeypatch.setattr("marketplace.core.cache.cache.set_many", lambda tags, timeout: sent.append(len(tags)))

    with transaction.atomic():
        bump("one", "two")
        with transaction.atomic():
            bump("three")

    assert sent == [3]


def test_a_savepoint_that_is_undone_does_not_take_later_bumps_with_it():
    before = generation("late"), generation("early")

    with transaction.atomic():
        with transaction.atomic():
            bump("lost")
            transaction.set_rollback(True)
        bump("late")
        with transaction.atomic():
            bump("early")

    assert generation("late") != before[0]
    assert generation("early") != before[1]


def test_a_value_is_computed_once_until_its_tag_is_bumped(counted):
    assert remembered("name", "tag", compute=counted) == "value 1"
    assert remembered("name", "tag", compute=counted) == "value 1"

    bump("tag")

    assert remembered("name", "tag", compute=counted) == "value 2"


def test_a_value_that_was_computed_while_its_tag_was_bumped_is_not_believed():
    def compute():
        bump("tag")
        return "too old"

    remembered("name", "tag", compute=compute)

    assert remembered("name", "tag", compute=lambda: "fresh") == "fresh"


def test_inside_a_transaction_nothing_is_kept_nor_believed(counted):
    remembered("name", "tag", compute=counted)

    with transaction.atomic():
        assert remembered("name", "tag", compute=counted) == "value 2"

    assert remembered("name", "tag", compute=counted) == "value 1"


def test_a_flushed_cache_does_not_bring_an_old_stamp_back():
    from django.core.cache import cache

    before = generation("one")
    cache.clear()

    assert generation("one") != before


def test_all_cache_objects_of_a_process_stand_on_one_pool_of_connections():
    """Django makes one for each context, and each open socket has a context of its own."""
    one, another = (RedisCache("redis://127.0.0.1:1/0", {}) for _context in range(2))

    assert one._cache._get_connection_pool(write=True) is another._cache._get_connection_pool(write=True)
    elsewhere = RedisCache("redis://127.0.0.1:1/3", {})
    assert one._cache._get_connection_pool(write=True) is not elsewhere._cache._get_connection_pool(
        write=True
    )
