"""The refund desk: staff find a payment, give it back to its payer, and decide about refunds that nobody knows about."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.money import Money
from marketplace.ledger.errors import InsufficientFunds
from marketplace.payments import purposes, refund_desk, services
from marketplace.payments.console import frame
from marketplace.payments.errors import RefundNotPossible, RefundNumberUsed, RefundTooLarge
from marketplace.payments.models import Refund
from marketplace.payments.refund_desk import Case
from marketplace.payments.refund_forms import DepositRefundForm, MadeForm, NotMadeForm, SearchForm

PER_PAGE = 30


refunders_only = staff_only("payments.refund_payment")


@require_safe
@refunders_only
def payments(request: HttpRequest) -> HttpResponse:
    """Payments in, newest first, or those with a refund to look at; found by number, provider's number or e-mail."""
    at, form = timezone.now(), SearchForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {"q": "", "state": ""}
    is_unclear = request.GET.get("show") == "unclear"
    rows = refund_desk.payments(at=at, text=wanted["q"], state=wanted["state"], is_unclear=is_unclear)
    unclear = refund_desk.count_unclear(at=at)
    context = {
        "page": Paginator(rows, per_page=PER_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "is_filtered": bool(form.errors or wanted["q"] or wanted["state"]),
        "is_unclear": is_unclear,
        "unclear": unclear,
        **frame(person(request), "payments:desk-payments", count=unclear),
    }
    return render(request, "payments/refund_desk.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@refunders_only
def payment(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """One payment, and the form that gives it back."""
    case = refund_desk.case(transaction_id)
    if case is None:
        raise Http404
    form = DepositRefundForm(**posted(request), initial={"amount": case.left})
    if request.method == "POST" and form.is_valid() and _refund(request, case, form):
        return redirect("payments:desk-payment", transaction_id)
    return _page(request, case, refund=form, status=422 if form.is_bound else 200)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A refund that somebody must find out about, with the forms of both answers."""

    row: Refund
    made: Form
    not_made: Form

    @classmethod
    def of(cls, row: Refund, refused: Form | None) -> Self:
        made: Form = MadeForm(auto_id=_ids(MadeForm, row.pk))
        not_made: Form = NotMadeForm(auto_id=_ids(NotMadeForm, row.pk))
        if refused is not None and refused.auto_id == made.auto_id:
            made = refused
        elif refused is not None and refused.auto_id == not_made.auto_id:
            not_made = refused
        return cls(row, made, not_made)


def _ids(kind: type[Form], refund_id: UUID) -> str:
    """Two forms of each refund stand on one page."""
    return f"id_{kind.__name__.lower()}_{refund_id.hex}_%s"


def _page(
    request: HttpRequest, case: Case, *, refund: DepositRefundForm, status: int, refused: Form | None = None
) -> HttpResponse:
    """`refused` is the form of a decision that lacks something."""
    at, row = timezone.now(), case.payment
    is_whole = services.can_refund(row, case.left)
    is_part = case.left > 1 and services.can_refund(row, case.left - 1)
    waiting = [Waiting.of(one, refused) for one in case.refunds if one.needs_a_look(at)]
    context = {
        "case": case,
        "row": row,
        "form": refund,
        "waiting": waiting,
        "can_refund": is_whole or is_part,
        "is_whole_only": is_whole and not is_part and case.left > 1,
        "is_used": row.purpose != purposes.DEPOSIT,
        "is_own": row.user_id == person(request).pk,
        **frame(person(request), "payments:desk-payments", count=refund_desk.count_unclear(at=at)),
    }
    return render(request, "payments/refund_desk_payment.html", context, status=status)


def _refund(request: HttpRequest, case: Case, form: DepositRefundForm) -> bool:
    amount = form.cleaned_data["amount"]
    try:
        services.refund(
            transaction_id=case.payment.pk,
            amount=amount,
            reason=form.cleaned_data["reason"],
            actor=person(request),
            idempotency_key=form.cleaned_data["key"],
        )
    except InsufficientFunds:
        left = Money(case.available, case.payment.currency)
        form.add_error("amount", _("The payer’s wallet holds only %(amount)s.") % {"amount": left})
    except (RefundTooLarge, RefundNotPossible) as error:
        form.add_error("amount", str(error.message))
    except DomainError as error:
        form.add_error(None, str(error.message))
    else:
        sent = Money(amount, case.payment.currency)
        messages.success(request, _("%(amount)s is on its way to the payer.") % {"amount": sent})
        return True
    form.with_new_key()
    return False


@require_POST
@refunders_only
def made(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """The refund is at the provider's: it counts as sent."""
    form = MadeForm(request.POST, auto_id=_ids(MadeForm, refund_id))

    def decide(data: dict[str, Any]) -> None:
        services.refund_was_made(
            refund_id=refund_id, actor=person(request), reason=data["reason"], provider_refund_id=data["number"]
        )  # fmt: skip

    return _decided(request, refund_id, form, decide, _("The refund counts as sent."))


@require_POST
@refunders_only
def not_made(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """The provider knows of none: the money is back in the wallet."""
    form = NotMadeForm(request.POST, auto_id=_ids(NotMadeForm, refund_id))

    def decide(data: dict[str, Any]) -> None:
        services.refund_was_not_made(refund_id=refund_id, actor=person(request), reason=data["reason"])

    return _decided(request, refund_id, form, decide, _("The money is back in the payer’s wallet."))


def _decided(request: HttpRequest, refund_id: UUID, form: Form, decide: Any, done: str) -> HttpResponse:
    found = Refund.objects.filter(pk=refund_id).values_list("payment_id", flat=True).first()
    if found is None:
        raise Http404
    if form.is_valid():
        try:
            decide(form.cleaned_data)
        except RefundNumberUsed as error:
            form.add_error("number", str(error.message))
        else:
            messages.success(request, done)
            return redirect("payments:desk-payment", found)
    case = refund_desk.case(found)
    if case is None:
        raise Http404
    blank = DepositRefundForm(initial={"amount": case.left})
    return _page(request, case, refund=blank, status=422, refused=form)
