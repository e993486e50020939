"""What every payment provider can do, whatever its protocol."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from marketplace.core.money import Minor
from marketplace.payments.models import Transaction


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the payer goes on, and what the provider calls the payment (empty when it says so later)."""

    url: str
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Authorize:
    """The provider has reserved the money and will settle later."""

    reference: UUID
    provider_id: str
    amount: Minor
    currency: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The money is ours."""

    reference: UUID
    provider_id: str
    amount: Minor
    currency: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The payment will not happen. `declined`: the payer tried and failed; otherwise they changed their mind."""

    reference: UUID
    provider_id: str
    reason: str = ""
    declined: bool = True


@dataclass(frozen=True, slots=True)
class Refund:
    """The provider has given the money back to the payer."""

    reference: UUID
    provider_id: str
    amount: Minor
    currency: str


type Command = Authorize | Settle | Cancel | Refund


@dataclass(frozen=True, slots=True)
class Webhook:
    """A verified webhook: its id at the provider's, and what it asks of us."""

    event_id: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]


class PaymentProvider(ABC):
    """An adapter. It moves no money and writes no row of ours: it translates."""

    code: ClassVar[str]
    # Headers that are stored with a webhook: the signature's, nothing that is a secret by itself.
    kept_headers: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """Tell the provider of a payment. Twice for one transaction is one payment. Raises ProviderUnavailable."""

    @abstractmethod
    def verify_payment(self, transaction: Transaction) -> Command | None:
        """Ask the provider over HTTP how the payment stands; None while it is open. Raises ProviderUnavailable."""

    @abstractmethod
    def process_webhook(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Webhook:
        """Check the signature as of `at` and read the body. Raises BadSignature, BadPayload."""

    def answer(self, webhook: Webhook) -> Answer:  # noqa: ARG002
        """What the provider wants to hear when all went well."""
        return Answer(200, {"success": True})
