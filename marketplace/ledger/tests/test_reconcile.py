from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import accounts, checks
from marketplace.ledger.models import Account
from marketplace.ledger.services import post
from marketplace.ledger.tests.factories import fund

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _only_the_ledgers_own(monkeypatch):
    monkeypatch.setattr(checks, "_checks", [])
    monkeypatch.setattr(checks, "_held", [])


def reconcile():
    out = StringIO()
    call_command("reconcile", stdout=out, no_color=True)
    return out.getvalue()


class Undo(Exception):
    """Rolls the damage of a test back, so that the books end the test in order."""


def test_books_in_order_are_proven_with_counts():
    fund(UserFactory(), 1000)
    fund(UserFactory(), 500)

    said = reconcile()

    assert "ok   every entry sums to zero (2 checked)" in said
    assert "ok   no user account is below zero (2 checked)" in said
    assert "ok   cached balances equal the sums of postings (2 checked)" in said
    assert "FAIL" not in said


def test_a_cached_balance_that_drifted_is_named():
    user = UserFactory()
    fund(user, 1000)
    account = Account.objects.get(owner=user)

    with pytest.raises(Undo), transaction.atomic():  # noqa: PT012 (all of it is undone)
        with connection.cursor() as cursor:
            _lift_guard(cursor)
            cursor.execute("UPDATE ledger_account SET balance = 999 WHERE owner_id IS NOT NULL")
        out = StringIO()
        with pytest.raises(CommandError, match="cached balances"):
            call_command("reconcile", stdout=out, no_color=True)
        assert f"account {account.pk}" in out.getvalue()
        assert "says 999, its postings sum to 1000" in out.getvalue()
        assert "ledger_account_guard on ledger_account is missing" in out.getvalue()
        raise Undo


def _lift_guard(cursor):
    on = " ON ledger_account" if connection.vendor == "postgresql" else ""
    cursor.execute(f"DROP TRIGGER ledger_account_guard{on}")


def test_held_money_that_no_deal_explains_is_named():
    user = UserFactory()
    fund(user, 1000)
    post(
        "hold", key="h", currency="UZS", legs={accounts.available(user.pk): -300, accounts.held(user.pk): 300}
    )
    checks.register_held(lambda: {(user.pk, "UZS"): 200})

    with pytest.raises(CommandError, match="held money equals the open trades"):
        reconcile()

    checks.register_held(lambda: {(user.pk, "UZS"): 100})  # a second app explains the rest
    assert "ok   held money equals the open trades" in reconcile()


def test_another_apps_proof_is_asked_too():
    checks.register(lambda: checks.Proof("stock is never below zero", 7, ["product 5: -1"]))

    with pytest.raises(CommandError, match="stock is never below zero"):
        reconcile()
