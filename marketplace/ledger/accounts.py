"""Names of accounts: what a caller of `services.post` writes into its legs, before any row is looked up."""

from dataclasses import dataclass
from uuid import UUID

from marketplace.ledger.models import Account


@dataclass(frozen=True, slots=True)
class AccountRef:
    kind: str
    owner_id: UUID | None = None
    code: str = ""

    @property
    def is_house(self) -> bool:
        return self.owner_id is None


def available(user_id: UUID) -> AccountRef:
    """What the person can spend or withdraw."""
    return AccountRef(Account.Kind.AVAILABLE, owner_id=user_id)


def held(user_id: UUID) -> AccountRef:
    """The buyer's money that escrow keeps until the trade is over."""
    return AccountRef(Account.Kind.HELD, owner_id=user_id)


def clearing(provider_code: str) -> AccountRef:
    """What a payment provider owes us (its postings are negative: the money came from there)."""
    return AccountRef(Account.Kind.CLEARING, code=provider_code)


COMMISSION = AccountRef(Account.Kind.COMMISSION)
PAYOUTS = AccountRef(Account.Kind.PAYOUTS)
REFUNDS = AccountRef(Account.Kind.REFUNDS)
SUBSCRIPTION = AccountRef(Account.Kind.SUBSCRIPTION)
# What people owe the house (its postings are negative: the house has paid for them).
DEBTS = AccountRef(Account.Kind.DEBTS)
