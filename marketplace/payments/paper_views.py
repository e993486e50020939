"""The papers of the wallet: receipts, monthly statements, and the history as a table for other programs."""

import csv
import re
from collections.abc import Iterator
from datetime import date, tzinfo
from io import StringIO
from itertools import batched, islice
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from marketplace.accounts.selectors import person
from marketplace.core import dates
from marketplace.core.money import to_decimal
from marketplace.payments import movements, papers, selectors, views
from marketplace.payments.forms import HistoryForm
from marketplace.payments.movements import Movement
from marketplace.payments.receipts import receipt_of
from marketplace.payments.statements import Statement, months
from marketplace.payments.statements import statement as statement_of

MOST_ROWS = 20_000
PER_PAGE = 100
# A cell that a table program would take for a formula, a command or another cell's beginning.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


@require_safe
@never_cache
@login_required
def export(request: HttpRequest) -> HttpResponseBase:
    """The movements that fit the history's filters, newest first, as CSV. Wrong filters are explained on the page."""
    filters = HistoryForm(request.GET)
    if not filters.is_valid():
        return views.wallet(request)
    user, currency = person(request), views.chosen_currency(request)
    rows = movements.filtered(user, currency, filters.criteria(at=timezone.now()))
    response = StreamingHttpResponse(
        _lines(rows, currency, language=translation.get_language(), zone=timezone.get_current_timezone()),
        content_type="text/csv; charset=utf-8",
        headers={"X-Accel-Buffering": "no"},
    )
    name = f"wibestore-{currency}-{timezone.localdate():%Y-%m-%d}.csv"
    return _as_file(response, name)


def _lines(rows: Any, currency: str, *, language: str, zone: tzinfo) -> Iterator[str]:
    """The file in chunks: one query, however long it is. It is read after the request, so language and zone come along."""
    found = movements.read(islice(rows.iterator(chunk_size=movements.CHUNK), MOST_ROWS + 1))

    def words() -> Iterator[list[str]]:
        yield [
            _("Date and time"), _("Number"), _("Type"), _("What"), _("Amount"), _("Currency"), _("Balance after"),
        ]  # fmt: skip

    def written(cells: list[list[str]]) -> str:
        text = StringIO()
        csv.writer(text).writerows(cells)
        return text.getvalue()

    # The context is entered anew for each chunk: between two of them this thread may serve somebody else.
    with translation.override(language):
        yield "\ufeff" + written(list(words()))
    count, chunks = 0, batched(found, movements.CHUNK)
    while True:
        with translation.override(language), timezone.override(zone):
            chunk = next(chunks, None)
            if chunk is None:
                return
            cells = [_cells(one, currency) for one in chunk[: MOST_ROWS - count]]
            count += len(chunk)
            if count > MOST_ROWS:
                more = _("Only the newest %(count)s are here. Choose an earlier period for the rest.")
                cells.append([more % {"count": MOST_ROWS}])
            text = written(cells)
        yield text


def _cells(one: Movement, currency: str) -> list[str]:
    return [
        f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S%z}",
        safe_cell(one.number),
        safe_cell(one.kind_label),
        safe_cell(one.title),
        str(to_decimal(one.amount)),
        currency,
        str(to_decimal(one.balance)),
    ]


def safe_cell(text: str) -> str:
    """Words as words: an apostrophe keeps table programs from running them."""
    return f"'{text}" if text.startswith(_RISKY) else text


@require_safe
@never_cache
@login_required
def statements(request: HttpRequest) -> HttpResponse:
    user, currency = person(request), views.chosen_currency(request)
    shown = selectors.wallet_of(user, currency)
    context = {
        "active": "me",
        "wallet": shown,
        "currency": currency,
        "same_wallet": views.same_wallet(currency),
        "page": Paginator(months(user, currency=currency, zone=user.zone), 24).get_page(
            request.GET.get("page")
        ),
        "today": timezone.localdate(),
    }
    return render(request, "payments/statements.html", context)


@require_safe
@never_cache
@login_required
def statement(request: HttpRequest, month: str) -> HttpResponse:
    found = _statement(request, month)
    first = found.month.first
    context = {
        "active": "me",
        "statement": found,
        "title": dates.month_name(first),
        "currency": found.currency,
        "same_wallet": views.same_wallet(found.currency),
        "page": Paginator(found.movements, PER_PAGE).get_page(request.GET.get("page")),
        "last_day": timezone.localtime(found.until - papers.MOMENT).date(),
        "before": _name(first.year, first.month - 1) if first > HistoryForm.FIRST_DAY else "",
        "after": "" if found.is_running else _name(first.year, first.month + 1),
        "has_pdf": len(found.movements) <= papers.MOST_MOVEMENTS,
    }
    return render(request, "payments/statement.html", context)


@require_safe
@never_cache
@login_required
def statement_pdf(request: HttpRequest, month: str) -> HttpResponse:
    found = _statement(request, month)
    if len(found.movements) > papers.MOST_MOVEMENTS:
        messages.error(request, _("This month is too long for one PDF. Download it as CSV."))
        back = reverse("payments:statement", args=[month])
        return redirect(back + views.same_wallet(found.currency))
    paper = papers.statement(found, owner=str(person(request).display_name), at=timezone.now())
    return _as_file(
        HttpResponse(paper, content_type="application/pdf"),
        f"wibestore-{found.month.name}-{found.currency}.pdf",
    )


@require_safe
@never_cache
@login_required
def receipt_pdf(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    row = get_object_or_404(selectors.transactions_of(request.user), pk=transaction_id)
    paper = papers.receipt(receipt_of(request.user, row), at=timezone.now())
    return _as_file(HttpResponse(paper, content_type="application/pdf"), f"wibestore-{row.number}.pdf")


def _statement(request: HttpRequest, month: str) -> Statement:
    """Of a month as its address has it. One that is none, or has not begun, is not found."""
    user, at = person(request), timezone.now()
    first = _first_day(month)
    if first is None or not HistoryForm.FIRST_DAY <= first <= timezone.localtime(at, user.zone).date():
        raise Http404
    return statement_of(user, first=first, currency=views.chosen_currency(request), zone=user.zone, at=at)


def _first_day(month: str) -> date | None:
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month, re.ASCII)
    return date(int(found[1]), int(found[2]), 1) if found and found[1] != "0000" else None


def _name(year: int, month: int) -> str:
    """The address of a month; the one before January and the one after December too."""
    return f"{year + (month - 1) // 12:04}-{(month - 1) % 12 + 1:02}"


def _as_file[R: HttpResponseBase](response: R, name: str) -> R:
    """For keeping, not for showing in our own window; its name is plain ASCII."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
