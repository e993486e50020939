"""What an audit proves about the books. Apps above add their own proofs in `AppConfig.ready()`.

A rule is named in plain English; `words.py` says it to people in their language.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, JournalEntry, Posting

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
    """Add a proof to every audit. Saying it twice changes nothing."""
    if check not in _checks:
        _checks.append(check)


def register_held(held_by: Callable[[], Mapping[Holder, Minor]]) -> None:
    """Name who holds money: `held_by()` returns, by owner and currency, the minor units that open deals hold."""
    if held_by not in _held:
        _held.append(held_by)


def registered() -> list[Callable[[], Proof]]:
    """All proofs, the ledger's own first."""
    own = [
        laws_stand,
        entries_sum_to_zero,
        trial_balances_are_zero,
        postings_have_their_entrys_currency,
        accounts_fit_their_owners,
        no_user_account_below_zero,
        balances_equal_sums,
        held_money_is_accounted_for,
    ]
    return [*own, *_checks]


def run() -> list[Proof]:
    """What all of them say now."""
    return [check() for check in registered()]


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """What all accounts of a currency come to: by kind of account, in minor units. Their `total` must be zero."""

    currency: str
    accounts: dict[str, Minor]
    postings: int

    @property
    def total(self) -> Minor:
        return sum(self.accounts.values())


def trial_balances() -> list[TrialBalance]:
    """One per currency that was ever moved, by its code. One pass over the postings."""
    rows = Posting.objects.values_list("account__currency", "account__kind").annotate(
        total=Sum("amount"), count=Count("pk")
    )
    accounts: dict[str, dict[str, Minor]] = defaultdict(dict)
    counts: dict[str, int] = defaultdict(int)
    for currency, kind, total, count in rows.order_by("account__currency", "account__kind"):
        accounts[currency][kind] = int(total)
        counts[currency] += count
    return [TrialBalance(currency, kinds, counts[currency]) for currency, kinds in accounts.items()]


def trial_balances_are_zero() -> Proof:
    balances = trial_balances()
    rows = [f"{one.currency}: all accounts come to {one.total}" for one in balances if one.total]
    return Proof("each currency's trial balance is zero", len(balances), rows)


def postings_have_their_entrys_currency() -> Proof:
    wrong = Posting.objects.exclude(account__currency=F("entry__currency")).values_list(
        "pk", "entry_id", "account__currency", "entry__currency"
    )[:MOST_ROWS]
    rows = [f"posting {pk} of entry {entry}: on {of}, in {within}" for pk, entry, of, within in wrong]
    return Proof("every posting is in its entry's currency", Posting.objects.count(), rows)


def accounts_fit_their_owners() -> Proof:
    """People have AVAILABLE and HELD accounts with a balance; all other kinds are the house's and have none."""
    fits = Q(owner__isnull=False, kind__in=Account.USER_KINDS, balance__isnull=False) | (
        Q(owner__isnull=True, balance__isnull=True) & ~Q(kind__in=Account.USER_KINDS)
    )
    rows = [f"account {account.pk} ({account})" for account in Account.objects.exclude(fits)[:MOST_ROWS]]
    return Proof("accounts are of a kind that fits their owner", Account.objects.count(), rows)


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
    # Empty ones are left out: they grow with every buyer there ever was, the others only with what is open.
    books = {
        (owner, currency): balance
        for owner, currency, balance in accounts.exclude(balance=0).values_list(
            "owner_id", "currency", "balance"
        )
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
    return Proof("held money equals the open trades", accounts.count(), rows[:MOST_ROWS])


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
        "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND c.relname LIKE 'ledger%'"
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
