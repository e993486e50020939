"""Trades for the staff: the disputed ones, and giving a buyer money back."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.money import Money
from marketplace.escrow import services as escrow
from marketplace.escrow.errors import RefundTooLarge
from marketplace.escrow.models import EscrowTransaction
from marketplace.messaging import selectors as messaging
from marketplace.moderation import selectors, services
from marketplace.moderation.forms import RefundForm

PER_PAGE = 30


refunders_only = staff_only("escrow.refund_trade")


@require_safe
@refunders_only
def trades(request: HttpRequest) -> HttpResponse:
    number = request.GET.get("number", "").strip()[:64]
    page = Paginator(selectors.trades(number=number), per_page=PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "moderation/trades.html", {"page": page, "number": number, **_frame()})


@require_http_methods(["GET", "HEAD", "POST"])
@refunders_only
def trade(request: HttpRequest, trade_id: UUID) -> HttpResponse:
    found = selectors.trade(trade_id)
    if found is None:
        raise Http404
    services.note_look_at_trade(trade=found, actor=person(request))
    form = RefundForm(**posted(request))
    if request.method == "POST" and form.is_valid() and _refund(request, found, form):
        return redirect("moderation:trade", found.pk)
    left = found.amount - found.refunded_amount
    context = {
        "trade": found,
        "form": form,
        "left": left,
        "can_refund": left > 0
        and found.status in {*EscrowTransaction.HOLDING, EscrowTransaction.Status.CONFIRMED},
        "is_held": found.status in EscrowTransaction.HOLDING,
        "talk": messaging.conversation_about(found.listing_id, found.buyer, found.seller)
        if found.status == EscrowTransaction.Status.DISPUTED
        else None,
        "is_own": person(request).pk in {found.buyer_id, found.seller_id},
        **_frame(),
    }
    return render(request, "moderation/trade.html", context, status=422 if form.is_bound else 200)


def _refund(request: HttpRequest, found: EscrowTransaction, form: RefundForm) -> bool:
    amount = form.cleaned_data["amount"]
    try:
        escrow.refund_by_staff(
            trade_id=found.pk,
            amount=amount,
            actor=person(request),
            reason=form.cleaned_data["reason"],
            idempotency_key=form.cleaned_data["key"],
        )
    except DomainError as error:
        form.add_error("amount" if isinstance(error, RefundTooLarge) else None, str(error.message))
        form.with_new_key()
        return False
    messages.success(
        request, _("%(amount)s went back to the buyer.") % {"amount": Money(amount, found.currency)}
    )
    return True


def _frame() -> dict[str, object]:
    nav = {"icon": "handshake", "label": _("Trades"), "url": reverse("moderation:trades"), "here": True}
    return {"area": _("Moderation"), "console_nav": [nav]}
