"""Receipts and statements as PDF, in the reader's language. Nothing is read here: all comes with the arguments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import cast
from unicodedata import normalize

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from marketplace.core import dates
from marketplace.core.money import Minor, Money, format_amount, unit
from marketplace.payments.receipts import HOUSE, Receipt
from marketplace.payments.statements import Statement

FONTS = Path(__file__).parent / "fonts"
# The colours of the light theme: ink, quiet, line, lapis (see tailwind/input.css).
INK, QUIET, LINE, LAPIS, INSET = (17, 21, 28), (79, 88, 102), (224, 228, 234), (47, 75, 220), (240, 242, 245)
MARGIN = 18.0
# Widths of the statement's columns, in millimetres: when, what, in, out, balance.
COLUMNS = (31.0, 65.0, 26.0, 26.0, 26.0)
# The largest statement that is drawn at once, some 80 pages; the CSV has no such bound.
MOST_MOVEMENTS = 3000


def receipt(found: Receipt, *, at: datetime) -> bytes:
    """One page. `at` is when it is made."""
    row = found.row
    paper = Paper(title=_("Receipt"), number=f"#{row.number}", at=at)
    paper.big(Money(row.signed_amount, row.currency), below=row.title)
    lines = [
        (_("Type"), row.get_type_display()),
        (_("Status"), row.get_status_display()),
        (_("Paid by"), found.payer),
        (_("Paid to"), found.payee),
        (_("Number"), str(row.pk)),
        (_("Opened"), _moment(row.created_at)),
    ]
    if row.processed_at:
        lines.append((_("Done"), _moment(row.processed_at)))
    if row.failed_at:
        lines.append((_("Closed"), _moment(row.failed_at)))
    if row.payment_method:
        lines.append((_("Method"), row.payment_method.name))
    if row.provider_transaction_id:
        lines.append((_("Number at the provider"), row.provider_transaction_id))
    if found.price is not None:
        lines.append((_("Price"), str(Money(found.price, row.currency))))
    lines.append((_("Our commission"), str(Money(found.fee, row.currency))))
    for one in found.refunds:
        says = f"{Money(one.amount, one.currency)}, {one.get_status_display()}, {_moment(one.created_at)}"
        lines.append((_("Given back"), says))
    if found.debt:
        lines.append((_("Still owed"), str(Money(found.debt, row.currency))))
    if row.reason and row.type == row.Type.WITHDRAWAL:
        lines.append((_("Reason"), row.reason))
    paper.pairs(lines)
    return paper.finished()


def statement(found: Statement, *, owner: str, at: datetime) -> bytes:
    """As many pages as the month needs. `owner` is the person's name, `at` is when it is made."""
    month = found.month
    paper = Paper(title=_("Statement"), number=dates.month_name(found.month.first), at=at)
    paper.big(
        Money(month.closing, found.currency), below=_("At the end") if not found.is_running else _("Now")
    )
    first, last = timezone.localtime(found.since), timezone.localtime(found.until - MOMENT)
    lines = [
        (_("Owner"), owner),
        (_("Period"), f"{dates.day(first)} – {dates.day(last)}, {timezone.get_current_timezone_name()}"),
        (_("At the start"), str(Money(month.opening, found.currency))),
        (_("Came in"), str(Money(month.came, found.currency))),
        (_("Went out"), str(Money(month.went, found.currency))),
        (_("At the end") if not found.is_running else _("Now"), str(Money(month.closing, found.currency))),
        (_("Held in escrow at the start"), str(Money(found.held.opening, found.currency))),
        (_("Held in escrow at the end"), str(Money(found.held.closing, found.currency))),
    ]
    if found.is_running:
        lines.append((_("Note"), _("The month is not over: this is how it stands so far.")))
    paper.pairs(lines)
    words = [_("When"), _("What"), _("In"), _("Out"), _("Balance")]
    rows = [
        (_short(one.at), one.title, _sum(one.came), _sum(one.went), format_amount(one.balance))
        for one in found.movements
    ]
    paper.heading(_("Movements, %(unit)s") % {"unit": unit(found.currency)})
    paper.listing(words, rows, empty=_("No money moved in this month."))
    if found.totals:
        paper.heading(_("By kind"))
        sums = [
            (str(one.count), one.label, _sum(one.came), _sum(one.went), format_amount(one.came - one.went))
            for one in found.totals
        ]
        paper.listing([_("How many"), _("What"), _("In"), _("Out"), _("Sum")], sums, empty="")
    return paper.finished()


MOMENT = timedelta(microseconds=1)


def _moment(at: datetime) -> str:
    """With year, seconds and zone: a paper is read long after."""
    local = timezone.localtime(at)
    return f"{dates.day(local)}, {local:%H:%M:%S} (UTC{local:%z})"


def _short(at: datetime) -> str:
    return date_format(timezone.localtime(at), "d.m.Y H:i")


def _sum(amount: Minor) -> str:
    return format_amount(amount) if amount else ""


@lru_cache(maxsize=1)
def _drawn() -> frozenset[int]:
    """The signs that the fonts have."""
    signs = TTFont(FONTS / "inter-regular.ttf").getBestCmap()
    # Control signs and those without a width are no ink. The no-break space is one, as Python has it, but parts thousands.
    return frozenset(sign for sign in signs if chr(sign).isprintable() or sign == 0xA0)


def printable(text: str) -> str:
    """The text in signs that can be drawn: accents that are not are left out, and what remains becomes "?"."""
    signs = []
    for sign in text:
        if ord(sign) in _drawn():
            signs.append(sign)
        elif sign.isspace():
            signs.append(" ")
        else:
            plain = "".join(part for part in normalize("NFKD", sign) if ord(part) in _drawn())
            signs.append(plain or ("?" if sign.isprintable() else ""))
    return "".join(signs)


class Paper(FPDF):
    """A4 with our head and foot."""

    def __init__(self, *, title: str, number: str, at: datetime) -> None:
        super().__init__(format="A4")
        self.add_font("Inter", fname=FONTS / "inter-regular.ttf")
        self.add_font("Inter", style="B", fname=FONTS / "inter-bold.ttf")
        self.head, self.number, self.made = title, number, at
        self.set_title(printable(f"{HOUSE}: {title} {number}"))
        self.set_lang(get_language() or "uz")
        self.set_creation_date(at)
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=22)
        self.alias_nb_pages("{of}")
        self.add_page()

    def header(self) -> None:
        self.set_fill_color(*LAPIS)
        self.rect(0, 0, self.w, 3, style="F")
        self.set_y(12)
        self._ink(15, bold=True)
        self.cell(0, 8, HOUSE)
        self._ink(10, QUIET)
        self.set_x(self.l_margin)
        self.cell(
            0, 8, printable(f"{self.head} {self.number}"), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        self._rule()
        self.ln(6)

    def footer(self) -> None:
        self.set_y(-16)
        self._rule()
        self.set_y(-14)
        self._ink(8, QUIET)
        made = _("Made on %(time)s") % {"time": _moment(self.made)}
        self.cell(self.epw / 2, 6, printable(made))
        self.cell(self.epw / 2, 6, f"{self.page_no()} / {{of}}", align="R")

    def big(self, money: Money, *, below: str) -> None:
        self._ink(26, bold=True)
        self.cell(0, 13, printable(str(money)), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._ink(11, QUIET)
        self.multi_cell(0, 6, printable(below), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(4)

    def pairs(self, lines: Iterable[tuple[str, str]]) -> None:
        """Label and value, a hairline under each."""
        for label, value in lines:
            self._ink(10, QUIET)
            top = self.get_y()
            self.cell(56, 7.5, printable(label))
            self._ink(10)
            self.multi_cell(
                self.epw - 56, 7.5, printable(value), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )
            if self.get_y() > top:
                self._rule()

    def heading(self, text: str) -> None:
        self.ln(6)
        self._ink(12, bold=True)
        self.cell(0, 8, printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def listing(self, words: list[str], rows: Iterable[tuple[str, ...]], *, empty: str) -> None:
        """Five columns (see COLUMNS); the head is drawn again on every page."""
        self._table_head(words)
        some = False
        for row in rows:
            some = True
            self._ink(8.5)
            lines = self._split(row[1], COLUMNS[1])[:3]
            height = max(1, len(lines)) * 4.2 + 2.6
            if self.get_y() + height > self.page_break_trigger:
                self.add_page()
                self._table_head(words)
                self._ink(8.5)
            self._table_row(row, lines, height)
        if not some and empty:
            self._ink(10, QUIET)
            self.cell(0, 10, printable(empty), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _table_row(self, row: tuple[str, ...], lines: list[str], height: float) -> None:
        top = self.get_y()
        self.set_xy(self.l_margin, top + 1.3)
        self.cell(COLUMNS[0], 4.2, printable(row[0]))
        for number, text in enumerate(lines):
            self.set_xy(self.l_margin + COLUMNS[0], top + 1.3 + number * 4.2)
            self.cell(COLUMNS[1], 4.2, text)
        self.set_xy(self.l_margin + COLUMNS[0] + COLUMNS[1], top + 1.3)
        for width, text in zip(COLUMNS[2:], row[2:], strict=True):
            self.cell(width, 4.2, printable(text), align="R")
        self.set_xy(self.l_margin, top + height)
        self._rule()

    def _split(self, text: str, width: float) -> list[str]:
        return cast(
            "list[str]", self.multi_cell(width, 4.2, printable(text), dry_run=True, output="LINES", align="L")
        )

    def _table_head(self, words: list[str]) -> None:
        self._ink(8.5, QUIET, bold=True)
        self.set_fill_color(*INSET)
        for number, (width, text) in enumerate(zip(COLUMNS, words, strict=True)):
            self.cell(width, 7, printable(text), align="L" if number < 2 else "R", fill=True)
        self.ln(7)

    def finished(self) -> bytes:
        return bytes(self.output())

    def _ink(self, size: float, colour: tuple[int, int, int] = INK, *, bold: bool = False) -> None:
        self.set_font("Inter", style="B" if bold else "", size=size)
        self.set_text_color(*colour)

    def _rule(self) -> None:
        self.set_draw_color(*LINE)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
