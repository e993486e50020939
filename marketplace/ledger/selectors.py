"""Reads of the books."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from marketplace.core.money import Minor
from marketplace.ledger.models import Account, Posting


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
