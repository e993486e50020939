"""What has happened to payments."""

from dataclasses import dataclass
from uuid import UUID

from marketplace.core.money import Minor


@dataclass(frozen=True, slots=True)
class DepositSettled:
    transaction_id: UUID
    user_id: UUID
    amount: Minor
    currency: str


@dataclass(frozen=True, slots=True)
class DepositFailed:
    transaction_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawalRequested:
    transaction_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawalCompleted:
    transaction_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawalFailed:
    transaction_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class MoneyTakenBack:
    """A provider has given a payer's money back. `debt` is what the wallet no longer had, in minor units."""

    refund_id: UUID
    transaction_id: UUID
    user_id: UUID
    amount: Minor
    debt: Minor
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentContested:
    transaction_id: UUID
    user_id: UUID
