"""What every test may use, and what is said at the end: what was measured, and which tests could not run here."""

import os
import shutil
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation

from marketplace.core import page_cache
from marketplace.core.visitors import caller
from marketplace.ledger.services import forget_accounts
from marketplace.ledger.testing import append_only_suspended
from marketplace.notifications import services as notifications
from marketplace.subscriptions import rates

_skipped: dict[str, int] = {}
_figures: list[str] = []


def pytest_runtest_setup(item):
    for marker, here, why in (
        ("postgres", connection.vendor == "postgresql", "PostgreSQL (TEST_DATABASE_URL)"),
        ("redis", bool(settings.TEST_REDIS_URL), "Redis (TEST_REDIS_URL)"),
    ):
        if item.get_closest_marker(marker) and not here:
            pytest.skip(f"needs {why}")


def pytest_runtest_logreport(report):
    if report.skipped and isinstance(report.longrepr, tuple):
        why = report.longrepr[2].removeprefix("Skipped: ")
        _skipped[why] = _skipped.get(why, 0) + 1
    if report.when == "call":
        # record_property("figure", ...) in a test; properties come back from parallel workers too.
        _figures.extend(str(value) for name, value in report.user_properties if name == "figure")


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"database: {connection.vendor}; redis: {settings.TEST_REDIS_URL or 'no'}")
    for figure in _figures:
        terminalreporter.write_line(figure)
    for why, count in sorted(_skipped.items()):
        terminalreporter.write_line(f"skipped {count}: {why}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Parallel workers get a database each, on SQLite a file each."""


@pytest.fixture(autouse=True)
def _english():
    """A request of the test before may have left its reader's language behind in this thread."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def _nobody_calls():
    """A socket's test plays it in this thread, and leaves behind who was calling."""
    caller.set(None)


@pytest.fixture(autouse=True)
def _fresh_caches():
    cache.clear()
    page_cache.forget_all()
    notifications.forget_types()
    rates.forget()
    # A test that ran its own hooks has made it remember accounts that were rolled back with the test.
    forget_accounts()


@pytest.fixture(scope="session", autouse=True)
def _books_may_be_emptied_between_tests():
    flush = TransactionTestCase._fixture_teardown

    def flush_without_the_law(self):
        with append_only_suspended():
            flush(self)
        # What the data migrations brought is there for the next test, whichever that is.
        for migration in ("games.migrations.0002_first_games", "payments.migrations.0002_methods",
                          "payments.migrations.0004_more_methods", "subscriptions.migrations.0002_plans",
                          "notifications.migrations.0003_types", "notifications.migrations.0004_second_factor",
                          "notifications.migrations.0005_ways_in", "notifications.migrations.0006_privacy"):  # fmt: skip
            import_module(f"marketplace.{migration}").add(apps, None)

    TransactionTestCase._fixture_teardown = flush_without_the_law
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(scope="session", autouse=True)
def _media_of_this_run():
    yield
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
