"""Every payment provider's protocol over real sockets, as `python -m scenarios` plays it against any server.

The scenarios make people and deposits of their own, so they share one server and one database, which is emptied at the end
and not between them. After them all the books must hold.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import F
from django.test import TransactionTestCase
from pytest_django.live_server_helper import LiveServer

from marketplace.accounts.models import User
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances
from marketplace.ledger.tests.factories import spend
from marketplace.payments import services
from marketplace.payments.models import PaymentAttempt
from scenarios import runner

ALL = runner.collected()


class Beside:
    """Somebody at the server's own database."""

    def age(self, provider, provider_id, *, hours):
        ago = timedelta(hours=hours)
        PaymentAttempt.objects.filter(provider=provider, provider_id=provider_id).update(
            opened_at=F("opened_at") - ago, provider_time=F("provider_time") - ago, expires_at=F("expires_at") - ago
        )  # fmt: skip

    def spend(self, email, amount):
        spend(User.objects.get(email=email), amount)

    def give_up(self, deposit_id):
        services.cancel(transaction_id=UUID(deposit_id))

    def balance(self, email, currency):
        return balances(User.objects.get(email=email), currency).available


class Emptied(TransactionTestCase):
    """Only for its way of emptying the database (see conftest.py)."""


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """In place of pytest-django's, which empties the database after each test: here once, after all of them."""
    with django_db_blocker.unblock():
        yield
        broken = [(proof.rule, proof.offending) for proof in checks.run() if not proof.holds]
        Emptied()._fixture_teardown()
    assert not broken


@pytest.fixture(scope="module")
def site(transactional_db):
    server = LiveServer("127.0.0.1")
    yield runner.Site(server.url, Beside())
    server.stop()


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_scenario_goes_as_the_protocol_says(one, site):
    report = runner.run(one, site)

    assert report.verdict == "ok", report.why
