"""The one way to move money, and the audit that proves the books."""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, partial, reduce
from operator import or_
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse

from marketplace.accounts.selectors import staff_with
from marketplace.core.cache import bump, person
from marketplace.core.money import MAX_MINOR, Currency, Minor
from marketplace.core.prepared import Prepared, Slot
from marketplace.ledger import auditing, words
from marketplace.ledger.accounts import AccountRef, available
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.models import Account, Audit, JournalEntry, Posting
from marketplace.notifications.services import Message, Value, notify_all

logger = logging.getLogger(__name__)
alarm = logging.getLogger("marketplace.ledger.audit")

# Green audits are all kept for so long, then one of each day for so long; red ones are kept for good.
KEEP_ALL = timedelta(days=2)
KEEP_DAILY = timedelta(days=90)

# Accounts are made once and never go: each process remembers the keys of the house's.
_remembered: dict[tuple[AccountRef, str], UUID] = {}
_remembering = threading.Lock()


def post(
    kind: str,
    *,
    key: str,
    currency: str,
    legs: Mapping[AccountRef, Minor],
    memo: str = "",
    reference: UUID | None = None,
    is_first: bool = False,
) -> JournalEntry:
    """Move money: write one entry whose legs (minor units; plus is what comes to an account) sum to zero.

    A leg of nothing, such as no commission, is left out.

    A repeat of `key` with the same kind, currency and legs moves nothing and returns the entry that is there. User
    accounts are locked in the order of their keys, so two posts wait for each other but never lock up. Inside a
    caller's transaction no savepoint is made: every refusal comes before the first write. `is_first` says that the key
    names something this very transaction has made, so that no repeat needs to be looked for.

    Raises InsufficientFunds when a user's account would fall below zero, KeyReused when the key names another movement,
    ValueError for legs that no caller should ever build.
    """
    _check_amounts(legs)
    legs = {ref: amount for ref, amount in legs.items() if amount}
    _check_shape(key, currency, legs)
    if connection.in_atomic_block:
        return _post(kind, key, currency, legs, memo, reference, is_first=is_first)
    with transaction.atomic():
        return _post(kind, key, currency, legs, memo, reference, is_first=is_first)


def _post(
    kind: str,
    key: str,
    currency: str,
    legs: Mapping[AccountRef, Minor],
    memo: str,
    reference: UUID | None,
    *,
    is_first: bool,
) -> JournalEntry:
    users = _user_accounts([ref for ref in legs if not ref.is_house], currency)
    # Under the locks: of two posts with one key, the second now sees what the first has committed.
    if not is_first and (repeated := JournalEntry.objects.filter(key=key).first()):
        return _same(repeated, kind, currency, legs)
    _check_funds(users, legs)
    house = _keys([ref for ref in legs if ref.is_house], currency)
    entry = JournalEntry.objects.create(
        kind=kind, key=key, currency=currency, memo=memo[:200], reference=reference
    )
    account_of = {**{ref: account.pk for ref, account in users.items()}, **house}
    Posting.objects.bulk_create(
        Posting(entry=entry, account_id=account_of[ref], amount=amount) for ref, amount in legs.items()
    )
    bump(*(person(ref.owner_id) for ref in users))
    logger.info("posted %s %s %s", kind, key, currency)
    return entry


def lock_available(user_id: UUID, currency: str) -> Minor:
    """Lock what a person can spend until the end of the caller's transaction, and say how much it is (minor units).

    For decisions that hang on the balance: nobody else moves it meanwhile.
    """
    ref = available(user_id)
    return _user_accounts([ref], currency)[ref].balance or 0


def _check_amounts(legs: Mapping[AccountRef, Minor]) -> None:
    for amount in legs.values():
        if type(amount) is not int:  # a bool or a float is a bug on its way to the books
            raise ValueError(f"An amount is a whole number of minor units, not {amount!r}.")
        if abs(amount) > MAX_MINOR:
            raise ValueError(f"No such amount: {amount}")


def _check_shape(key: str, currency: str, legs: Mapping[AccountRef, Minor]) -> None:
    if not key or len(key) > 200:
        raise ValueError("An entry needs a key of 1 to 200 characters.")
    if currency not in Currency.values:
        raise ValueError(f"No such currency: {currency}")
    if len(legs) < 2:
        raise ValueError("An entry needs two legs or more.")
    if sum(legs.values()) != 0:
        raise ValueError("The legs of an entry sum to zero.")


def _user_accounts(refs: list[AccountRef], currency: str) -> dict[AccountRef, Account]:
    """The accounts of people, locked in the order of their keys; those that are missing are made."""
    if not refs:
        return {}
    found = _locked(refs, currency)
    if len(found) < len(refs):
        _create([ref for ref in refs if ref not in found], currency)
        found = _locked(refs, currency)
    return found


def _locked(refs: list[AccountRef], currency: str) -> dict[AccountRef, Account]:
    named = {f"owner{place}": ref.owner_id for place, ref in enumerate(refs) if ref.owner_id}
    kinds = {f"kind{place}": ref.kind for place, ref in enumerate(refs)}
    rows = _locking(len(refs))(currency=currency, **named, **kinds)
    return {AccountRef(one.kind, owner_id=one.owner_id): one for one in rows}


@cache
def _locking(count: int) -> Prepared[Account]:
    """Locks that many accounts of people."""

    def build() -> QuerySet[Account]:
        each = (Q(owner=Slot(f"owner{place}"), kind=Slot(f"kind{place}")) for place in range(count))
        # NO KEY: a posting's foreign key only needs the row to stay, so that it does not wait for this lock.
        locked = Account.objects.select_for_update(no_key=True).order_by("pk")
        return locked.filter(reduce(or_, each), currency=Slot("currency"))

    return Prepared(build)


def _keys(refs: list[AccountRef], currency: str) -> dict[AccountRef, UUID]:
    """The keys of the house's accounts; those that are missing are made."""
    known = {ref: key for ref in refs if (key := _remembered.get((ref, currency)))}
    unknown = [ref for ref in refs if ref not in known]
    if not unknown:
        return known
    found = _read(unknown, currency)
    if len(found) < len(unknown):
        _create([ref for ref in unknown if ref not in found], currency)
        found = _read(unknown, currency)
    # Remembered after the commit: the key of an account that was rolled back must not be.
    transaction.on_commit(partial(_remember, {(ref, currency): key for ref, key in found.items()}))
    return known | found


def _remember(keys: Mapping[tuple[AccountRef, str], UUID]) -> None:
    with _remembering:
        _remembered.update(keys)


def _read(refs: list[AccountRef], currency: str) -> dict[AccountRef, UUID]:
    wanted = reduce(or_, (Q(kind=ref.kind, code=ref.code) for ref in refs))
    rows = Account.objects.filter(wanted, owner__isnull=True, currency=currency)
    return {AccountRef(kind, code=code): key for kind, code, key in rows.values_list("kind", "code", "pk")}


def _create(refs: list[AccountRef], currency: str) -> None:
    """Make accounts; one that somebody else has just made stays as it is."""
    rows = [
        Account(
            owner_id=ref.owner_id,
            kind=ref.kind,
            code=ref.code,
            currency=currency,
            balance=None if ref.is_house else 0,
        )
        for ref in sorted(refs, key=lambda ref: (str(ref.owner_id), ref.kind, ref.code))
    ]
    Account.objects.bulk_create(rows, ignore_conflicts=True)


def _check_funds(accounts: Mapping[AccountRef, Account], legs: Mapping[AccountRef, Minor]) -> None:
    for ref, account in accounts.items():
        left = (account.balance or 0) + legs[ref]
        if left < 0:
            raise InsufficientFunds(f"{account} lacks {-left}")


def _same(entry: JournalEntry, kind: str, currency: str, legs: Mapping[AccountRef, Minor]) -> JournalEntry:
    rows = entry.postings.values_list("account__kind", "account__owner_id", "account__code", "amount")
    there = {AccountRef(kind_, owner_id=owner, code=code): amount for kind_, owner, code, amount in rows}
    if (entry.kind, entry.currency, there) != (kind, currency, dict(legs)):
        raise KeyReused(f"{entry.key} is {entry.kind} already, not {kind}")
    return entry


def forget_accounts(**_signal: object) -> None:
    """Forget the remembered keys: a flush has emptied the tables."""
    with _remembering:
        _remembered.clear()


def audit(*, at: datetime) -> Audit:
    """Run every proof on one snapshot of the database and keep what came of it.

    A red audit is a critical line in the log each time. Staff who may see audits are told once when the books turn red
    and once when they are green again, however many audits run, and at the same moment.
    """
    found = auditing.examine()
    proofs = [
        {"rule": one.proof.rule, "counted": one.proof.counted, "offending": one.proof.offending, "ms": one.ms}
        for one in found.results
    ]
    balances = [
        {
            "currency": one.currency,
            "accounts": [{"kind": kind, "total": total} for kind, total in one.accounts.items()],
            "total": one.total,
        }
        for one in found.trial_balances
    ]
    with transaction.atomic():
        was_green = _last_was_green()
        row = Audit.objects.create(
            started_at=at,
            finished_at=at + found.took,
            is_green=found.is_green,
            entries=found.entries,
            postings=found.postings,
            proofs=proofs,
            trial_balance=balances,
        )
        if row.is_green != was_green:
            _raise_alarm(row)
        bump("books")
    if not row.is_green:
        alarm.critical("audit %s: the books are not right: %s", row.pk, "; ".join(row.broken))
    return row


def _last_was_green() -> bool:
    """What the audit before says, under a lock: of two at the same moment, one sees what the other has stored."""
    if Audit.objects.select_for_update().order_by("-pk").first() is None:
        return True
    # Read again: while we waited for the lock, another audit may have been stored behind that row.
    return Audit.objects.order_by("-pk").values_list("is_green", flat=True)[0]


def _raise_alarm(row: Audit) -> None:
    kind = "books_green" if row.is_green else "books_red"
    context: dict[str, Value] = {
        "rules": words.listed(row.broken),
        "number": str(row.pk),
        "time": row.started_at,
    }
    people = staff_with("ledger", "view_audit")
    notify_all(Message(user, kind, context, reverse("ledger:status")) for user in people)


def forget_audits(*, at: datetime) -> int:
    """Delete green audits that nobody will ask for, see KEEP_ALL and KEEP_DAILY; the last one stays. Returns how many."""
    green = Audit.objects.filter(is_green=True, started_at__lt=at - KEEP_ALL)
    daily = (
        green.filter(started_at__gte=at - KEEP_DAILY)
        .order_by()
        .annotate(day=TruncDate("started_at"))
        .values("day")
        .annotate(last=Max("pk"))
    )
    kept = set(daily.values_list("last", flat=True))
    kept.update(Audit.objects.order_by("-pk").values_list("pk", flat=True)[:1])
    deleted, _per_model = green.exclude(pk__in=kept).delete()
    return deleted
