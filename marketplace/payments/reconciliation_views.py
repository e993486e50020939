"""The reconciliation desk: staff lay a provider's statement beside our payments and read what differs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.accounts.models import User
from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.payments import reconciliation
from marketplace.payments.console import frame
from marketplace.payments.models import PaymentAttempt, ProviderStatement
from marketplace.payments.reconciliation_files import BadStatement
from marketplace.payments.reconciliation_forms import StatementForm

PER_PAGE = 20


book_keepers_only = staff_only("payments.view_transaction")


@require_http_methods(["GET", "HEAD", "POST"])
@book_keepers_only
def desk(request: HttpRequest) -> HttpResponse:
    """What was compared so far, newest first, and the form for another statement."""
    form = StatementForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            found = _reconcile(form, person(request))
        except DomainError as error:
            form.add_error("file" if isinstance(error, BadStatement) else None, str(error.message))
        else:
            return redirect("payments:reconciled", found.pk)
    page = Paginator(reconciliation.statements(), per_page=PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, **frame(person(request), "payments:reconciliation")}
    return render(
        request, "payments/reconciliation.html", context, status=422 if request.method == "POST" else 200
    )


def _reconcile(form: StatementForm, actor: User) -> ProviderStatement:
    since, until = form.period
    provider, file = form.cleaned_data["provider"], form.cleaned_data["file"]
    if not file:
        return reconciliation.reconcile_asked(provider=provider, since=since, until=until, actor=actor)
    return reconciliation.reconcile_file(
        provider=provider, since=since, until=until, data=file.read(), name=file.name or "", actor=actor
    )


@require_safe
@book_keepers_only
def result(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    row = get_object_or_404(ProviderStatement.objects.select_related("actor"), pk=statement_id)
    context = {
        "row": row,
        "rows": [_worded(one) for one in row.rows],
        **frame(person(request), "payments:reconciliation"),
    }
    return render(request, "payments/reconciliation_result.html", context)


def _worded(row: dict[str, Any]) -> dict[str, Any]:
    """A difference as it is shown: words for its kind and states, times as times."""
    sides = {side: _side(row[side]) for side in ("ours", "theirs")}
    return {**row, **sides, "text": ProviderStatement.Difference(row["kind"]).label}


def _side(one: dict[str, Any] | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        **one,
        "time": datetime.fromisoformat(one["time"]),
        "state": PaymentAttempt.State(one["state"]).label,
    }
