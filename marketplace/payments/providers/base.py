"""What every payment provider can do, whatever its protocol, and the neutral words that its protocol is turned into."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings

from marketplace.core.errors import DomainError
from marketplace.core.money import Minor
from marketplace.payments.models import PaymentAttempt, Transaction
from marketplace.payments.models import Refund as RefundRow


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the payer goes on, and what the provider calls the payment (empty when it says so later)."""

    url: str
    provider_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """May this payment be made? Changes nothing. Amount and currency are compared where they are given.

    With a `provider_id`, a payment that this very try has paid already may be (a repeat).
    """

    reference: UUID
    amount: Minor | None = None
    currency: str = "UZS"
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the provider a little later how the payment stands, should nothing else have told us."""

    reference: UUID
    after: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Authorize:
    """The provider opens a try, and will settle or cancel it later.

    `lifetime` counts from the provider's `time`; `is_exclusive` refuses a second open try of one payment.
    """

    reference: UUID
    provider_id: str
    amount: Minor
    currency: str
    time: datetime | None = None
    lifetime: timedelta | None = None
    is_exclusive: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settle:
    """The money is ours.

    Without a `reference` it settles a try that was opened before. With one, `attempt_id` names the try where the
    protocol carries our number, and otherwise a new try is opened and settled at once. `is_taken`: the payer has lost
    the money whatever we say, so that a payment which we had given up counts all the same.
    """

    reference: UUID | None
    provider_id: str
    amount: Minor | None = None
    currency: str = "UZS"
    time: datetime | None = None
    attempt_id: int | None = None
    is_taken: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The payment, or one try of it, will not happen.

    `closes` ends the payment as well: as failed when it was `declined`, else as cancelled. `takes_back`: a try that was
    settled already is refunded as a whole, unless the payer has spent it.
    """

    reference: UUID | None
    provider_id: str
    reason: str = ""
    code: int | None = None
    attempt_id: int | None = None
    declined: bool = True
    closes: bool = True
    takes_back: bool = False


@dataclass(frozen=True, slots=True)
class Refund:
    """The provider has given money back to the payer. Either this `amount`, or a `total` of all refunds so far.

    `captured`: what the payer had paid before, where the call says so. It is counted first when nobody has told us of it.
    """

    reference: UUID | None
    provider_id: str
    currency: str
    amount: Minor | None = None
    total: Minor | None = None
    refund_id: str = ""
    captured: Minor | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """The card's holder contests the payment (a chargeback may follow): `is_over` when it was decided."""

    reference: UUID | None
    provider_id: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Find:
    """How does the try of this number stand? Changes nothing."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something to keep with a try, such as a fiscal receipt."""

    provider_id: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """All tries between two moments of the provider's clock, both included, oldest first."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ChangeSecret:
    """The provider sets the secret that its calls carry from now on, in place of the environment's."""

    secret: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One payment in a provider's own list: its number and clock, minor units, and a state of PaymentAttempt."""

    provider_id: str
    time: datetime
    amount: Minor
    currency: str
    state: str


type Command = (
    Check | Ask | Authorize | Settle | Cancel | Refund | Contest | Find | Note | Statement | ChangeSecret
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command. `is_repeat`: it was so before, nothing has changed."""

    payment: Transaction | None = None
    attempt: PaymentAttempt | None = None
    attempts: tuple[PaymentAttempt, ...] = ()
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call of a provider, as it was stored. `action` is what follows the provider's code in the address."""

    body: bytes
    headers: Mapping[str, str]
    at: datetime
    method: str = "POST"
    action: str = ""
    query: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A verified call: its id at the provider's (empty where a protocol has none), what it asks, and the adapter's notes.

    `is_kept`: nothing can be made of it, and a person should look (why stands in `note`).
    """

    event_id: str = ""
    commands: tuple[Command, ...] = ()
    call: Any = None
    is_kept: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is an object (sent as JSON) or text of the given type."""

    status: int
    body: dict[str, Any] | str
    content_type: str = "application/json"


class Refusal(Exception):
    """The protocol's own "no", raised while a call is being read: the answer as the provider expects it, and why."""

    def __init__(self, answer: Answer, why: str, *, is_signed: bool = True) -> None:
        super().__init__(why)
        self.answer = answer
        self.is_signed = is_signed


class PaymentProvider(ABC):
    """An adapter. It moves no money and writes no row of ours: it translates."""

    code: ClassVar[str]
    # Headers that are stored with a call: the signature's, nothing that is a secret by itself.
    kept_headers: ClassVar[tuple[str, ...]] = ()
    # HTTP Basic, which is a secret by itself: what is stored is a digest of it (see `providers.basic`).
    uses_basic: ClassVar[bool] = False
    # Whether the provider gives money back when we ask (it may hang on a setting), and whether a part of it too.
    can_refund: bool = False
    can_refund_part: ClassVar[bool] = False

    @property
    def config(self) -> Mapping[str, str]:
        """The provider's settings: addresses and credentials."""
        return settings.PAYMENT_CONFIG.get(self.code, {})

    @abstractmethod
    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """Tell the provider of a payment. Twice for one transaction is one payment. Raises ProviderUnavailable."""

    def verify_payment(self, transaction: Transaction) -> Command | None:  # noqa: ARG002 (some cannot be asked)
        """Ask the provider over HTTP how the payment stands; None while it is open, or when it cannot be asked.

        Raises ProviderUnavailable.
        """
        return None

    @abstractmethod
    def process_webhook(self, delivery: Delivery) -> Webhook:
        """Check the call's signature as of its arrival and read it. Raises BadSignature, BadPayload, Refusal."""

    def refund(self, refund: RefundRow) -> str:
        """Ask the provider to give money back; returns its number of the refund. Twice for one row is one refund.

        Raises ProviderUnavailable when it may be tried again, RefundRefused when the provider says no.
        """
        raise NotImplementedError(f"{self.code} gives nothing back when asked")

    def statement(self, since: datetime, until: datetime) -> Iterable[StatementLine] | None:  # noqa: ARG002
        """The provider's list of payments in [since, until), oldest first; None where it cannot be asked for one.

        Raises ProviderUnavailable.
        """
        return None

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:  # noqa: ARG002
        """What the provider wants to hear when our services did as it asked."""
        return Answer(200, {"success": True})

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:  # noqa: ARG002
        """What it hears when they refused, or when the call could not be read (then there is no webhook)."""
        message = {"code": error.code, "message": str(error.message), "details": {}}
        return Answer(error.status, {"success": False, "error": message})

    def fail(self) -> Answer:
        """What it hears when something broke on our side: it should come again."""
        message = {"code": "server_error", "message": "Try again later.", "details": {}}
        return Answer(500, {"success": False, "error": message})

    def kept_body(self, body: bytes) -> bytes:
        """What is stored of a body, once it was read: without the secrets that a protocol carries in it."""
        return body

    def kept_action(self, action: str) -> str:
        """What is stored, and read, of the address's last part: a digest where that is a secret."""
        return action

    def knows_method(self, method: str) -> bool:
        """Whether calls may come by this HTTP method; others get 405 before anything is stored."""
        return method == "POST"
