"""Laying a provider's statement beside our own captured and refunded payments."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.core.errors import DomainError
from marketplace.ledger.auditing import snapshot
from marketplace.payments import providers
from marketplace.payments.models import PaymentAttempt, PaymentMethod, ProviderStatement
from marketplace.payments.providers.base import PaymentProvider, StatementLine
from marketplace.payments.reconciliation_files import read, shape_of

Difference = ProviderStatement.Difference
State = PaymentAttempt.State

MOST_ROWS = 500  # of differences, kept with a statement
LONGEST = timedelta(days=366)
_BATCH = 1000
# The states in which the provider has had the money; between the others nothing has to agree.
_COLLECTED = (State.CAPTURED, State.REFUNDED)


class NoStatements(DomainError):
    code = "no_statements"
    message = _("This provider cannot be asked for a statement. Bring its file.")


class UnknownProvider(DomainError):
    code = "unknown_provider"
    status = 404
    message = _("There is no such payment provider.")


class BadPeriod(DomainError):
    code = "bad_period"
    status = 422
    message = _("The first day comes before the last, and both lie within a year.")


def names() -> list[str]:
    """The providers that can be reconciled: those of the settings, and those whose methods were ever offered."""
    known = PaymentMethod.objects.values_list("code", flat=True)
    return sorted({*settings.PAYMENT_PROVIDERS, *known})


def can_be_asked(provider: str) -> bool:
    """Whether the provider's adapter offers statements."""
    if provider not in settings.PAYMENT_PROVIDERS:
        return False
    return type(providers.get(provider)).statement is not PaymentProvider.statement


def days(first: date, last: date) -> tuple[datetime, datetime]:
    """The moments between which these days lie in Tashkent, both days included. Raises BadPeriod."""
    zone = ZoneInfo(settings.DEFAULT_USER_TIME_ZONE)
    if not 2000 <= first.year <= last.year < 2200:
        raise BadPeriod(f"{first} to {last}")
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = last + timedelta(days=1)
    until = datetime(after.year, after.month, after.day, tzinfo=zone)
    if not since < until <= since + LONGEST:
        raise BadPeriod(f"{first} to {last}")
    return since, until


def reconcile_file(
    *,
    provider: str,
    since: datetime,
    until: datetime,
    data: bytes,
    name: str = "",
    actor: User | None = None,
) -> ProviderStatement:
    """Compare a statement file with ours and keep the result. Moves no money.

    Raises UnknownProvider, BadStatement.
    """
    _known(provider)
    lines = read(data, shape_of(provider))
    source = name.replace("\\", "/").rsplit("/", 1)[-1].replace("\0", "")[-100:] or "file"
    digest = hashlib.sha256(data).hexdigest()
    return _reconcile(provider, since, until, lines, source=source, digest=digest, actor=actor)


def reconcile_asked(
    *, provider: str, since: datetime, until: datetime, actor: User | None = None
) -> ProviderStatement:
    """The same with a statement that the provider's API gives, outside of any transaction.

    Raises UnknownProvider, NoStatements, ProviderUnavailable.
    """
    _known(provider)
    if not can_be_asked(provider):
        raise NoStatements(provider)
    lines = providers.get(provider).statement(since, until)
    if lines is None:
        raise NoStatements(provider)
    return _reconcile(provider, since, until, lines, source="", digest="", actor=actor)


def statements() -> QuerySet[ProviderStatement]:
    """Those that were brought, newest first, each with who did it; their rows are left in the database."""
    return ProviderStatement.objects.select_related("actor").defer("rows").order_by("-pk")


def _known(provider: str) -> None:
    if provider not in names():
        raise UnknownProvider(provider)


@dataclass(slots=True)
class _Result:
    lines: int = 0
    ours: int = 0
    agreed: int = 0
    differences: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    def differs(
        self, kind: str, provider_id: str, ours: "_Ours | None", theirs: StatementLine | None
    ) -> None:
        self.differences += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(
                {
                    "kind": str(kind),
                    "provider_id": provider_id,
                    "payment": str(ours.payment_id) if ours else None,
                    "ours": _shown(ours),
                    "theirs": _shown(theirs),
                }
            )


@dataclass(frozen=True, slots=True)
class _Ours:
    provider_id: str
    time: datetime
    amount: int
    currency: str
    state: str
    payment_id: Any


def _shown(one: "_Ours | StatementLine | None") -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "amount": one.amount,
        "currency": one.currency,
        "state": str(one.state),
        "time": one.time.isoformat(),
    }


def _reconcile(
    provider: str,
    since: datetime,
    until: datetime,
    lines: Iterable[StatementLine],
    *,
    source: str,
    digest: str,
    actor: User | None,
) -> ProviderStatement:
    result = _Result()
    seen: set[str] = set()
    with snapshot():
        for batch in batched(_last_words(lines, result), _BATCH):
            ours = _ours(provider, [line.provider_id for line in batch])
            for line in batch:
                seen.add(line.provider_id)
                _compare(line, ours.get(line.provider_id), since, until, result)
        for one in _collected(provider, since, until):
            result.ours += 1
            if one.provider_id not in seen:
                result.differs(Difference.MISSING_THERE, one.provider_id, one, None)
    return ProviderStatement.objects.create(
        provider=provider,
        since=since,
        until=until,
        source=source,
        digest=digest,
        lines=result.lines,
        ours=result.ours,
        agreed=result.agreed,
        differences=result.differences,
        rows=result.rows,
        actor=actor,
    )


def _last_words(lines: Iterable[StatementLine], result: _Result) -> list[StatementLine]:
    """One line per payment. Some providers write a line when it is paid and one when it is refunded: the refund counts."""
    last: dict[str, StatementLine] = {}
    for line in lines:
        result.lines += 1
        before = last.get(line.provider_id)
        if before is not None and line.state == before.state:
            result.differs(Difference.REPEATED, line.provider_id, None, line)
        elif before is None or _RANK[line.state] > _RANK[before.state]:
            last[line.provider_id] = line
    return list(last.values())


_RANK: dict[str, int] = {State.OPEN: 0, State.CANCELLED: 1, State.CAPTURED: 2, State.REFUNDED: 3}


def _compare(
    line: StatementLine, ours: _Ours | None, since: datetime, until: datetime, result: _Result
) -> None:
    is_inside = since <= line.time < until or (ours is not None and since <= ours.time < until)
    theirs_collected = line.state in _COLLECTED
    if not is_inside or (not theirs_collected and (ours is None or ours.state not in _COLLECTED)):
        return
    if ours is None:
        result.differs(Difference.MISSING_HERE, line.provider_id, None, line)
    elif (ours.amount, ours.currency) != (line.amount, line.currency):
        result.differs(Difference.AMOUNT, line.provider_id, ours, line)
    elif ours.state != line.state:
        result.differs(Difference.STATE, line.provider_id, ours, line)
    else:
        result.agreed += 1


_FIELDS = ("provider_id", "provider_time", "amount", "currency", "state", "payment_id")


def _ours(provider: str, provider_ids: list[str]) -> dict[str, _Ours]:
    """Our tries of these numbers, whenever they were."""
    rows = PaymentAttempt.objects.filter(provider=provider, provider_id__in=provider_ids).values_list(
        *_FIELDS
    )
    return {row[0]: _Ours(*row) for row in rows}


def _collected(provider: str, since: datetime, until: datetime) -> Iterator[_Ours]:
    """What we hold for collected in the period, by the provider's clock."""
    rows = PaymentAttempt.objects.filter(
        provider=provider, provider_time__gte=since, provider_time__lt=until, state__in=_COLLECTED
    ).order_by("provider_time", "pk")
    return (_Ours(*row) for row in rows.values_list(*_FIELDS).iterator(chunk_size=_BATCH))
