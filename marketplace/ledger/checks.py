"""What `manage.py reconcile` proves about the books. Apps above add their own proofs in `AppConfig.ready()`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, JournalEntry

type Holder = tuple[UUID, str]

MOST_ROWS = 50  # of offending rows, in one report


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, how many rows, and those that break the rule (none: it is proven)."""

    rule: str
    counted: int
    offending: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.offending


_checks: list[Callable[[], Proof]] = []
_held: list[Callable[[], Mapping[Holder, Minor]]] = []


def register(check: Callable[[], Proof]) -> None:
    """Add a proof to `reconcile`. Saying it twice changes nothing."""
    if check not in _checks:
        _checks.append(check)


def register_held(held_by: Callable[[], Mapping[Holder, Minor]]) -> None:
    """Name who holds money: `held_by()` returns, by owner and currency, the minor units that open deals hold."""
    if held_by not in _held:
        _held.append(held_by)


def run() -> list[Proof]:
    """All proofs, the ledger's own first."""
    own = [
        laws_stand,
        entries_sum_to_zero,
        no_user_account_below_zero,
        balances_equal_sums,
        held_money_is_accounted_for,
    ]
    return [check() for check in [*own, *_checks]]


def entries_sum_to_zero() -> Proof:
    wrong = (
        JournalEntry.objects.annotate(total=Coalesce(Sum("postings__amount"), 0), legs=Count("postings"))
        .filter(~Q(total=0) | Q(legs__lt=2))
        .values_list("pk", "key", "total", "legs")[:MOST_ROWS]
    )
    rows = [f"entry {pk} ({key}): sum {total}, {legs} legs" for pk, key, total, legs in wrong]
    return Proof("every entry sums to zero", JournalEntry.objects.count(), rows)


def no_user_account_below_zero() -> Proof:
    accounts = Account.objects.filter(owner__isnull=False)
    wrong = accounts.filter(Q(balance__lt=0) | Q(balance__isnull=True))[:MOST_ROWS]
    rows = [f"account {account.pk} ({account}): {account.balance}" for account in wrong]
    return Proof("no user account is below zero", accounts.count(), rows)


def balances_equal_sums() -> Proof:
    accounts = Account.objects.filter(owner__isnull=False)
    wrong = accounts.annotate(total=Coalesce(Sum("postings__amount"), 0)).exclude(balance=F("total"))[
        :MOST_ROWS
    ]
    rows = [f"account {a.pk} ({a}): says {a.balance}, its postings sum to {a.total}" for a in wrong]
    return Proof("cached balances equal the sums of postings", accounts.count(), rows)


def held_money_is_accounted_for() -> Proof:
    """Person by person: what a held account has is what the open deals of all apps hold for its owner."""
    accounts = Account.objects.filter(kind=Account.Kind.HELD)
    books = {
        (owner, currency): balance or 0
        for owner, currency, balance in accounts.values_list("owner_id", "currency", "balance")
    }
    deals: dict[Holder, Minor] = {}
    for held_by in _held:
        for holder, amount in held_by().items():
            deals[holder] = deals.get(holder, 0) + amount
    rows = [
        f"person {holder[0]}: the books hold {books.get(holder, 0)} {holder[1]}, the open deals {deals.get(holder, 0)}"
        for holder in sorted(books.keys() | deals.keys())
        if books.get(holder, 0) != deals.get(holder, 0)
    ]
    return Proof("held money equals the open trades", len(books), rows[:MOST_ROWS])


LAWS = {
    "postgresql": {
        "ledger_journalentry": {
            "append_only_update",
            "append_only_delete",
            "append_only_truncate",
            "entry_balanced",
        },
        "ledger_posting": {
            "append_only_update",
            "append_only_delete",
            "append_only_truncate",
            "entry_balanced",
            "posting_currency",
            "keep_balance",
        },
        "ledger_account": {"account_guard"},
    },
    "sqlite": {
        "ledger_journalentry": {
            "append_only_update_ledger_journalentry",
            "append_only_delete_ledger_journalentry",
            "append_only_replace_ledger_journalentry",
            "entry_opens",
        },
        "ledger_posting": {
            "append_only_update_ledger_posting",
            "append_only_delete_ledger_posting",
            "append_only_replace_ledger_posting",
            "entry_balanced",
            "posting_currency",
            "keep_balance",
        },
        "ledger_account": {"account_guard", "account_same", "account_opens", "account_replace"},
        "ledger_unbalanced": {"unbalanced_stays", "unbalanced_is"},
    },
}
_TRIGGERS = {
    "postgresql": (
        "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relname LIKE 'ledger%'"
    ),
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'ledger%'",
}


def laws_stand() -> Proof:
    """Every trigger of migration 0002 is there: a rebuilt SQLite table or a careless restore loses them silently."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS[connection.vendor])
        there = set(cursor.fetchall())
    wanted = {(table, f"ledger_{law}") for table, laws in LAWS[connection.vendor].items() for law in laws}
    missing = sorted(wanted - there)
    return Proof(
        "the laws stand in the database",
        len(wanted),
        [f"{name} on {table} is missing" for table, name in missing],
    )
