"""What test suites need of the ledger: emptying append-only tables between tests, reading without its locks."""

import contextlib
from collections.abc import Iterator

from django.db import connection

from marketplace.ledger.accounts import AccountRef
from marketplace.ledger.models import Account


@contextlib.contextmanager
def append_only_suspended() -> Iterator[None]:
    """Let this connection's flush empty the books and the audit trail. Only the tear-down of a transactional test uses it.

    PostgreSQL lets TRUNCATE through under a session setting. SQLite has no such settings, so there the delete triggers
    go away for the moment and come back word for word.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET wibestore.allow_truncate = 'on'")
        yield
        with connection.cursor() as cursor:
            cursor.execute("RESET wibestore.allow_truncate")
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%append_only_delete_%'"
        )
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _name, sql in triggers:
                cursor.execute(sql)


def accounts_unlocked(refs: list[AccountRef], currency: str) -> dict[AccountRef, Account]:
    """What `services._locked` reads, without its lock: for tests that show the race it stands against."""
    return {ref: Account.objects.get(owner=ref.owner_id, kind=ref.kind, currency=currency) for ref in refs}
