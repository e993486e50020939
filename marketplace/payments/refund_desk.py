"""Reads of the refund desk: payments as staff look for them, and one of them with all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from string import hexdigits
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import BinaryField, BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value

from marketplace.core.ids import floor_for
from marketplace.core.money import Minor
from marketplace.ledger.selectors import balances
from marketplace.payments import selectors
from marketplace.payments.models import PaymentAttempt, Refund, Transaction, WebhookEvent

Type = Transaction.Type
REFUNDED = "refunded"
# Of a payment's calls: how long after its opening they are looked for, and how many are shown.
CALLS_FOR = timedelta(days=31)
MOST_CALLS = 50
# A shorter number of a provider's would be found in other payments' calls too.
SHORTEST_NUMBER = 6


def payments(
    *, at: datetime, text: str = "", state: str = "", is_unclear: bool = False
) -> QuerySet[Transaction]:
    """Top-ups for the desk, newest first, each with payer, method and whether a refund of it is `to_look_at`.

    `text` is a payment's number or key, its payer's e-mail address, or a provider's number; `state` a status, or
    `REFUNDED`. `is_unclear` keeps those with a refund to look at, the one that waits longest first.
    """
    waiting = Refund.objects.filter(selectors.unclear(at=at), payment=OuterRef("pk"))
    rows = Transaction.objects.filter(type=Type.DEPOSIT).select_related("user", "payment_method")
    rows = rows.annotate(to_look_at=Exists(waiting))
    if text:
        rows = rows.filter(_named(text))
    if state == REFUNDED:
        rows = rows.filter(refunded__gt=0)
    elif state:
        rows = rows.filter(status=state)
    # The keys first: the unclear refunds are few, the payments are not.
    unclear = Refund.objects.filter(selectors.unclear(at=at)).values("payment")
    return rows.filter(pk__in=unclear).order_by("pk") if is_unclear else rows.order_by("-pk")


def count_unclear(*, at: datetime) -> int:
    """How many payments have a refund to look at."""
    return Refund.objects.filter(selectors.unclear(at=at)).values("payment").distinct().count()


def _named(text: str) -> Q:
    if "@" in text:
        return Q(user__email=text.lower())
    # Both are unique together with whose number it is: naming all of them keeps the index useful.
    tries = PaymentAttempt.objects.filter(provider__in=list(settings.PAYMENT_PROVIDERS), provider_id=text)
    found = Q(provider_transaction_id=text) | Q(pk__in=tries.values("payment"))
    signs = text.lstrip("#").replace("-", "").lower()
    if set(signs) <= set(hexdigits):
        if len(signs) == 32:
            found |= Q(pk=UUID(signs))
        elif len(signs) == 8:
            found |= Q(pk__iendswith=signs)
    return found


@dataclass(frozen=True, slots=True)
class Case:
    """A payment with its refunds, tries and stored calls, and its payer's money (minor units)."""

    payment: Transaction
    refunds: list[Refund]
    attempts: list[PaymentAttempt]
    calls: list[WebhookEvent]
    available: Minor
    debt: Minor

    @property
    def left(self) -> Minor:
        """What has not gone back yet."""
        return self.payment.amount - self.payment.refunded


def case(transaction_id: UUID) -> Case | None:
    """Six queries, whatever has happened to the payment."""
    found = Transaction.objects.filter(pk=transaction_id, type=Type.DEPOSIT)
    payment = found.select_related("user", "payment_method").first()
    if payment is None:
        return None
    attempts = list(payment.attempts.order_by("-pk"))
    refunds = payment.refunds.select_related("actor", "decision__actor").order_by("-pk")
    return Case(
        payment=payment,
        refunds=list(refunds),
        attempts=attempts,
        calls=list(_calls(payment, attempts)),
        available=balances(payment.user, payment.currency).available,
        debt=selectors.debts_of(payment.user, payment.currency),
    )


def _calls(payment: Transaction, attempts: list[PaymentAttempt]) -> QuerySet[WebhookEvent]:
    """The provider's calls that name the payment or one of its tries, oldest first, without their bodies.

    A call is stored before anyone knows what it is about, so it is found by what it says.
    """
    provider = payment.payment_method.code if payment.payment_method else ""
    rows = WebhookEvent.objects.filter(
        provider=provider,
        pk__gte=floor_for(payment.created_at),
        pk__lt=floor_for(payment.created_at + CALLS_FOR),
    )
    numbers = {one.provider_id for one in attempts if len(one.provider_id) >= SHORTEST_NUMBER}
    says = Q(pk__in=[])
    for place, word in enumerate(sorted({str(payment.pk), payment.pk.hex, *numbers})):
        rows = rows.alias(**{f"holds_{place}": _held(word)})
        says |= Q(query__contains=word) | Q(**{f"holds_{place}": True})
    return rows.filter(says).defer("body", "headers", "answer_body").order_by("pk")[:MOST_CALLS]


def _held(word: str) -> Holds:
    return Holds(Value(word.encode(), output_field=BinaryField()), F("body"))


class Holds(Func):
    """Whether bytes, the first argument, stand in other bytes."""

    output_field: ClassVar[Any] = BooleanField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, template="(INSTR(%(expressions)s) > 0)", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(POSITION(%(expressions)s) > 0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" IN ", **extra)
