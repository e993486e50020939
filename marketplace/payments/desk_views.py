"""The payout desk: staff look at payouts, approve, send or give the money back."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.core.errors import DomainError
from marketplace.payments import selectors, services
from marketplace.payments.console import frame
from marketplace.payments.forms import FailForm, SendForm
from marketplace.payments.models import Transaction

PER_PAGE = 30


payout_staff_only = staff_only("payments.settle_withdrawal")


@require_safe
@payout_staff_only
def queue(request: HttpRequest) -> HttpResponse:
    """What waits, the earliest promise first; or what is over, newest first."""
    is_over = request.GET.get("show") == "over"
    rows = selectors.payouts().exclude(status__in=Transaction.OPEN) if is_over else selectors.open_payouts()
    page = Paginator(rows, per_page=PER_PAGE).get_page(request.GET.get("page"))
    waiting = selectors.open_payouts().count() if is_over else page.paginator.count
    context = {
        "page": page,
        "is_over": is_over,
        "waiting": waiting,
        "now": timezone.now(),
        **frame(person(request), "payments:desk", count=waiting),
    }
    return render(request, "payments/desk.html", context)


@require_safe
@payout_staff_only
def payout(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    return _payout(request, transaction_id)


def _payout(
    request: HttpRequest,
    transaction_id: UUID,
    *,
    send: SendForm | None = None,
    fail: FailForm | None = None,
    number: str = "",
    status: int = 200,
) -> HttpResponse:
    row = get_object_or_404(selectors.payouts(), pk=transaction_id)
    decisions = list(row.decisions.select_related("actor").order_by("pk"))
    approved_by = {one.actor_id for one in decisions if one.action == "approve"}
    needed = services.approvals_needed(row)
    context = {
        "row": row,
        "decisions": decisions,
        "needed": needed,
        "missing": max(0, needed - len(approved_by)),
        "is_own": row.user_id == person(request).pk,
        "has_approved": person(request).pk in approved_by,
        "send": send or SendForm(auto_id="id_send_%s"),
        "fail": fail or FailForm(auto_id="id_fail_%s"),
        "number": number,
        "now": timezone.now(),
        **frame(person(request), "payments:desk", count=selectors.open_payouts().count()),
    }
    return render(request, "payments/desk_payout.html", context, status=status)


@require_POST
@payout_staff_only
def approve(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    services.approve_withdrawal(transaction_id=transaction_id, actor=person(request))
    messages.success(request, _("Approved."))
    return redirect("payments:desk-payout", transaction_id)


@require_POST
@payout_staff_only
def show_number(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """The whole number, once, in the answer to this press; it is not kept in any address or cache."""
    number = services.show_number(transaction_id=transaction_id, actor=person(request))
    return _payout(request, transaction_id, number=number)


@require_POST
@payout_staff_only
def send(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    form = SendForm(request.POST, auto_id="id_send_%s")
    if form.is_valid():
        try:
            services.complete_withdrawal(
                transaction_id=transaction_id, actor=person(request), provider_id=form.cleaned_data["number"]
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("The payout is sent."))
            return redirect("payments:desk")
    return _payout(request, transaction_id, send=form, status=422)


@require_POST
@payout_staff_only
def fail(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    form = FailForm(request.POST, auto_id="id_fail_%s")
    if form.is_valid():
        try:
            services.fail_withdrawal(
                transaction_id=transaction_id, actor=person(request), reason=form.cleaned_data["reason"]
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("The money is back in the person’s wallet."))
            return redirect("payments:desk")
    return _payout(request, transaction_id, fail=form, status=422)
