"""Reading a provider's statement from a file: CSV in our own format, or with the provider's names and units.

Our format: UTF-8, a line of names, then a line per payment, parted by commas or semicolons:

    id,time,amount,currency,state
    5e9f1c2a,2026-11-20T09:15:00+05:00,150000.00,UZS,captured

`id` is the provider's number of the payment. `time` without an offset is Tashkent's. `amount` is in whole units with a
point. `state` is captured, refunded, cancelled or open. Other columns are left alone. Where a provider's files differ,
`settings.PAYMENT_STATEMENTS` says how.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core.errors import DomainError
from marketplace.core.money import MAX_MINOR, Currency, Minor, to_minor
from marketplace.payments.models import PaymentAttempt
from marketplace.payments.providers.base import StatementLine

MAX_BYTES = 20 * 1024 * 1024
MAX_LINES = 200_000
MAX_COLUMNS = 100
COLUMNS = ("id", "time", "amount", "currency", "state")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}", re.ASCII)
_MAJOR = re.compile(r"\d{1,15}(?:\.\d{1,2})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,17}", re.ASCII)
# What a spreadsheet would run instead of showing.
_FORMULA = ("=", "+", "@", "\t", "\r")
_SHOWN = 40


class BadStatement(DomainError):
    """The file cannot be read as a statement; the message says where and why."""

    code = "bad_statement"
    status = 422

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.message = why if line is None else _("Line %(line)d: %(why)s") % {"line": line, "why": why}


@dataclass(frozen=True, slots=True)
class Shape:
    """How a provider writes what we call id, time, amount, currency and state.

    `columns` maps our names to theirs (others are called as ours), `currency` is that of files without such a column,
    `unit` is "major" or "minor", `time` is "iso" or "ms" (milliseconds since 1970), `states` maps their words to ours.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    unit: str = "major"
    time: str = "iso"
    states: Mapping[str, str] = field(
        default_factory=lambda: {state: state for state in PaymentAttempt.State}
    )

    def name(self, column: str) -> str:
        return self.columns.get(column, column).strip().lower()

    @property
    def needed(self) -> list[str]:
        """Our names of the columns that a file must have."""
        return [column for column in COLUMNS if column != "currency" or not self.currency]


def shape_of(provider: str) -> Shape:
    """The provider's own shape, or ours."""
    return Shape(**settings.PAYMENT_STATEMENTS.get(provider, {}))


def read(data: bytes, shape: Shape) -> list[StatementLine]:
    """All lines of a file. Raises BadStatement at the first that cannot be read: half a statement proves nothing."""
    if len(data) > MAX_BYTES:
        raise BadStatement(_("The file is larger than %(most)d MB.") % {"most": MAX_BYTES // 1024**2})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadStatement(_("The file is not text in UTF-8. Save it as “CSV UTF-8”.")) from None
    if "\0" in text:
        raise BadStatement(_("The file is not text in UTF-8. Save it as “CSV UTF-8”."))
    try:
        return list(_lines(text, shape))
    except csv.Error:
        raise BadStatement(_("The file is no CSV: its quotes or cells are broken.")) from None


def _lines(text: str, shape: Shape) -> Iterator[StatementLine]:
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    places = _places(next(rows, []), shape)
    count = 0
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        count += 1
        if count > MAX_LINES:
            raise BadStatement(_("The file has more than %(most)d lines.") % {"most": MAX_LINES})
        if len(row) <= max(places.values()):
            raise BadStatement(_("there are fewer cells than names in the first line."), rows.line_num)
        cells = {column: row[place].strip() for column, place in places.items()}
        yield _line(cells, shape, rows.line_num)
    if not count:
        raise BadStatement(_("The file has no payments, only the line of names."))


def _places(head: list[str], shape: Shape) -> dict[str, int]:
    """Where our columns are. A name that is missing or there twice is refused."""
    names = [name.strip().lower() for name in head]
    if len(names) > MAX_COLUMNS:
        raise BadStatement(_("The first line has more than %(most)d names.") % {"most": MAX_COLUMNS})
    missing = [shape.name(column) for column in shape.needed if shape.name(column) not in names]
    if missing:
        raise BadStatement(_("These columns are missing: %(names)s.") % {"names": ", ".join(missing)})
    wanted = [column for column in COLUMNS if shape.name(column) in names]
    doubled = [shape.name(column) for column in wanted if names.count(shape.name(column)) > 1]
    if doubled:
        raise BadStatement(_("These columns are there twice: %(names)s.") % {"names": ", ".join(doubled)})
    return {column: names.index(shape.name(column)) for column in wanted}


def _line(cells: Mapping[str, str], shape: Shape, number: int) -> StatementLine:
    # A state such as -1 is compared with a list; nothing else may begin like a formula.
    for column, cell in cells.items():
        if column != "state" and cell.startswith((*_FORMULA, "-")):
            raise BadStatement(_cell("is a formula or a negative number", column, cell), number)
    if not _ID.fullmatch(cells["id"]):
        raise BadStatement(_cell("is no number of a payment", "id", cells["id"]), number)
    currency = cells.get("currency", "").upper() or shape.currency
    if currency not in Currency.values:
        raise BadStatement(_cell("is none of our currencies", "currency", currency), number)
    state = shape.states.get(cells["state"].lower(), "")
    if state not in PaymentAttempt.State.values:
        raise BadStatement(_cell("is no state that we know", "state", cells["state"]), number)
    return StatementLine(
        cells["id"],
        _time(cells["time"], shape, number),
        _amount(cells["amount"], shape, number),
        currency,
        state,
    )


def _amount(text: str, shape: Shape, number: int) -> Minor:
    pattern = _WHOLE if shape.unit == "minor" else _MAJOR
    if not pattern.fullmatch(text):
        raise BadStatement(_cell("is no amount", "amount", text), number)
    try:
        minor = int(text) if shape.unit == "minor" else to_minor(Decimal(text))
    except ValueError:
        minor = 0
    if not 0 < minor <= MAX_MINOR:
        raise BadStatement(_cell("is no amount", "amount", text), number)
    return minor


def _time(text: str, shape: Shape, number: int) -> datetime:
    try:
        moment = _milliseconds(text) if shape.time == "ms" else _iso(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not 2000 <= moment.year < 2200:
        raise BadStatement(_cell("is no time", "time", text), number)
    return moment


def _milliseconds(text: str) -> datetime | None:
    if not _WHOLE.fullmatch(text):
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(text))


def _iso(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(settings.DEFAULT_USER_TIME_ZONE))
    return moment.astimezone(UTC)


# By what is wrong: a sentence about one cell. Here, so that all of them are translated.
_CELLS = {
    "is a formula or a negative number": gettext_lazy("“%(cell)s” in the column %(column)s is a formula or a negative number."),
    "is no number of a payment": gettext_lazy("“%(cell)s” in the column %(column)s is no number of a payment."),
    "is none of our currencies": gettext_lazy("“%(cell)s” in the column %(column)s is none of our currencies."),
    "is no state that we know": gettext_lazy("“%(cell)s” in the column %(column)s is no state that we know."),
    "is no amount": gettext_lazy("“%(cell)s” in the column %(column)s is no amount."),
    "is no time": gettext_lazy("“%(cell)s” in the column %(column)s is no time."),
}  # fmt: skip


def _cell(what: str, column: str, cell: str) -> str:
    shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in cell[:_SHOWN])
    return str(_CELLS[what]) % {"cell": shown, "column": column}
