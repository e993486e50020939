"""The database refuses, whoever asks: every test here goes around Python with plain SQL."""

import pytest
from django.db import DatabaseError, connection, transaction

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.ids import uuid7
from marketplace.ledger import checks
from marketplace.ledger.models import Account, JournalEntry, Posting
from marketplace.ledger.selectors import balances
from marketplace.ledger.testing import append_only_suspended
from marketplace.ledger.tests.factories import fund

pytestmark = pytest.mark.django_db


def sql(statement, *values):
    """Run a statement in a savepoint, so that the test goes on after a refusal."""
    as_text = [
        value.hex if hasattr(value, "hex") and connection.vendor == "sqlite" else value for value in values
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, as_text)
        return cursor.rowcount


def entry(currency="UZS"):
    pk = uuid7()
    sql(
        "INSERT INTO ledger_journalentry (id, kind, key, currency, memo, created_at)"
        " VALUES (%s, 'adjustment', %s, %s, '', CURRENT_TIMESTAMP)",
        pk, f"sql:{pk}", currency,
    )  # fmt: skip
    return pk


def posting(entry_id, account, amount, how="INSERT"):
    pk = uuid7()
    sql(
        f"{how} INTO ledger_posting (id, entry_id, account_id, amount) VALUES (%s, %s, %s, %s)",
        pk, entry_id, account.pk, amount,
    )  # fmt: skip
    return pk


@pytest.fixture
def user():
    person = UserFactory()
    fund(person, 1000)
    return person


@pytest.fixture
def wallet(user):
    return Account.objects.get(owner=user)


@pytest.fixture
def house():
    return Account.objects.create(kind="commission", currency="UZS")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET amount = amount + 1",
        "UPDATE ledger_journalentry SET memo = 'other'",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_journalentry",
    ],
)
def test_entries_and_postings_are_never_changed_or_deleted(wallet, statement):
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)

    assert Posting.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_books_are_not_truncated(wallet):
    with pytest.raises(DatabaseError, match="append-only"):
        sql("TRUNCATE ledger_posting")
    with pytest.raises(DatabaseError, match="append-only"):
        sql("TRUNCATE ledger_posting, ledger_journalentry CASCADE")


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_sqlite_does_not_replace_a_row_silently(wallet):
    row = Posting.objects.first()

    with pytest.raises(DatabaseError):
        sql(
            "INSERT OR REPLACE INTO ledger_posting (id, entry_id, account_id, amount) VALUES (%s, %s, %s, %s)",
            row.pk, row.entry_id, row.account_id, 5,
        )  # fmt: skip
    with pytest.raises(DatabaseError):
        sql("INSERT OR REPLACE INTO ledger_account SELECT * FROM ledger_account")

    assert Posting.objects.get(pk=row.pk).amount == row.amount


def test_an_entry_that_does_not_sum_to_zero_is_not_committed(wallet, house):
    one = entry()
    posting(one, wallet, 500)
    posting(one, house, -499)

    with pytest.raises(DatabaseError), transaction.atomic():
        connection.check_constraints()

    # The fixture's own transaction must end in peace: the missing leg arrives.
    other = Account.objects.create(kind="refunds", currency="UZS")
    posting(one, other, -1)
    connection.check_constraints()


@pytest.mark.django_db(transaction=True)
def test_the_commit_itself_fails_for_a_lopsided_entry(wallet):
    with pytest.raises(DatabaseError), transaction.atomic():
        posting(entry(), wallet, 500)

    assert JournalEntry.objects.count() == 1
    assert Account.objects.get(pk=wallet.pk).balance == 1000


@pytest.mark.django_db(transaction=True)
def test_the_commit_itself_fails_for_an_entry_without_postings():
    with pytest.raises(DatabaseError), transaction.atomic():
        entry()

    assert not JournalEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_committed_entry_takes_no_further_lopsided_posting(wallet, house):
    with pytest.raises(DatabaseError), transaction.atomic():
        posting(JournalEntry.objects.get().pk, house, 7)

    assert Posting.objects.count() == 2


@pytest.mark.skipif("connection.vendor != 'sqlite'")
@pytest.mark.django_db(transaction=True)
def test_the_note_of_an_open_entry_cannot_be_wiped_away(wallet):
    for statement in ("DELETE FROM ledger_unbalanced", "UPDATE ledger_unbalanced SET law = NULL"):
        with pytest.raises(DatabaseError), transaction.atomic():  # noqa: PT012 (the commit is what fails)
            posting(entry(), wallet, 500)
            sql(statement)

    with pytest.raises(DatabaseError):
        sql("INSERT INTO ledger_never (id) VALUES (1)")
    assert JournalEntry.objects.count() == 1


def test_a_posting_of_nothing_is_refused(house):
    with pytest.raises(DatabaseError), transaction.atomic():
        posting(entry(), house, 0)


def test_a_posting_goes_to_an_account_of_its_currency(user, wallet):
    with pytest.raises(DatabaseError, match="currency"), transaction.atomic():
        posting(entry("USD"), wallet, 5)


def test_the_cached_balance_follows_the_postings(wallet, house):
    one = entry()
    posting(one, wallet, -300)
    posting(one, house, 300)

    wallet.refresh_from_db()
    house.refresh_from_db()
    assert wallet.balance == 700
    assert house.balance is None


def test_a_balance_is_not_written_by_hand(wallet):
    with pytest.raises(DatabaseError, match="through postings only"):
        sql("UPDATE ledger_account SET balance = balance + 1")
    wallet.balance += 1
    with pytest.raises(DatabaseError, match="through postings only"), transaction.atomic():
        wallet.save()


def test_an_account_opens_at_zero(user):
    with pytest.raises(DatabaseError, match="opens at zero"), transaction.atomic():
        Account.objects.create(owner=user, kind="held", currency="UZS", balance=5)


@pytest.mark.parametrize("change", ["currency = 'USD'", "kind = 'held'", "owner_id = NULL, balance = NULL"])
def test_what_an_account_is_never_changes(wallet, change):
    with pytest.raises(DatabaseError):
        sql(f"UPDATE ledger_account SET {change} WHERE owner_id IS NOT NULL")  # noqa: S608


@pytest.mark.parametrize(
    "how",
    ["INSERT", pytest.param("INSERT OR IGNORE", marks=pytest.mark.skipif("connection.vendor != 'sqlite'"))],
)
def test_no_user_account_falls_below_zero(user, wallet, how):
    with pytest.raises(DatabaseError, match="ledger_no_user_account_below_zero"), transaction.atomic():
        posting(entry(), wallet, -1001, how)

    assert balances(user).available == 1000


def test_an_account_with_postings_is_not_deleted(wallet):
    with pytest.raises(DatabaseError), transaction.atomic():  # noqa: PT012 (the commit is what fails)
        sql("DELETE FROM ledger_account")
        connection.check_constraints()


def test_all_laws_stand_in_the_database():
    assert checks.laws_stand().offending == []


@pytest.mark.django_db(transaction=True)
def test_a_lifted_law_is_noticed_and_comes_back_after_a_flush():
    with append_only_suspended():
        if connection.vendor == "sqlite":
            assert len(checks.laws_stand().offending) == 2

    assert checks.laws_stand().offending == []
