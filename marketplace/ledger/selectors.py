"""Reads of the books."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db.models import QuerySet, Sum

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, Audit, Posting


@dataclass(frozen=True, slots=True)
class Balances:
    """A person's money in minor units: what can be spent, and what escrow holds."""

    available: Minor = 0
    held: Minor = 0


def balances(user: Any, currency: str = "UZS") -> Balances:
    """One query. Zeros for a person who never had money."""
    rows = Account.objects.filter(owner_id=user.pk, currency=currency).values_list("kind", "balance")
    return Balances(**{kind: balance or 0 for kind, balance in rows})


def house_balance(kind: str, code: str = "", currency: str = "UZS") -> Minor:
    """The sum of a house account's postings, in minor units."""
    postings = Posting.objects.filter(
        account__owner__isnull=True, account__kind=kind, account__code=code, account__currency=currency
    )
    return postings.aggregate(total=Sum("amount"))["total"] or 0


def history(user: Any, currency: str = "UZS") -> QuerySet[Posting]:
    """All movements on a person's accounts, newest first, each with its entry and account."""
    return (
        Posting.objects.filter(account__owner_id=user.pk, account__currency=currency)
        .select_related("entry", "account")
        .order_by("-pk")
    )


type State = Literal["green", "red", "late", "none"]


@dataclass(frozen=True, slots=True)
class Books:
    """What the last audit said, seen at a moment. An audit that is too old proves nothing any more."""

    audit: Audit | None
    at: datetime

    @property
    def age(self) -> timedelta | None:
        return None if self.audit is None else max(self.at - self.audit.finished_at, timedelta())

    @property
    def is_late(self) -> bool:
        return self.age is not None and self.age > settings.BOOKS_AUDIT_LATE_AFTER

    @property
    def state(self) -> State:
        if self.audit is None:
            return "none"
        if not self.audit.is_green:
            return "red"
        return "late" if self.is_late else "green"


def books(*, at: datetime) -> Books:
    """One query, of one row."""
    return Books(Audit.objects.order_by("-pk").first(), at)
