"""The pages of a trade."""

import uuid
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts.forms import ConfirmationForm
from marketplace.accounts.selectors import person
from marketplace.core import htmx
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.money import Money
from marketplace.escrow import selectors, services
from marketplace.escrow.errors import NothingToHandOver, PriceChanged
from marketplace.escrow.forecast import forecast as forecast_of
from marketplace.escrow.forms import BALANCE, BuyForm, DisputeForm, HandOverForm
from marketplace.escrow.models import EscrowTransaction
from marketplace.ledger import selectors as ledger
from marketplace.ledger.errors import InsufficientFunds
from marketplace.listings import selectors as listings
from marketplace.messaging import room
from marketplace.messaging import selectors as messaging
from marketplace.payments import selectors as payments
from marketplace.payments.errors import AmountOutOfRange, MethodNotAvailable, ProviderUnavailable

PAGE, FORECAST_PAGE = 20, 50
STATE = "trade-state"


@require_safe
@login_required
def trade_list(request: HttpRequest) -> HttpResponse:
    side, show = request.GET.get("side", ""), request.GET.get("show", "")
    page = Paginator(selectors.trade_list(request.user, side=side, show=show), PAGE).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "side": side, "show": show, "active": "trades"}
    return htmx.render(request, "escrow/list.html", context, partials={"trades"})


@require_safe
@login_required
@never_cache
def forecast(request: HttpRequest) -> HttpResponse:
    """When the money of a seller's running sales will be free."""
    seller = person(request)
    found = forecast_of(seller, at=timezone.now(), zone=seller.zone)
    page = Paginator(found.sales, FORECAST_PAGE).get_page(request.GET.get("page"))
    context = {"forecast": found, "page": page, "active": "trades"}
    return render(request, "escrow/forecast.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def buy(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    """Choose how to pay, then buy. A running trade of one's own on this listing is shown instead."""
    refused: DomainError | None = None
    if request.method == "POST" and request.POST.get("method") == BALANCE:
        # The usual way: nothing is read for a page that will not be shown.
        form = BuyForm(request.POST, methods=[(BALANCE, "")])
        if form.is_valid():
            try:
                return _buy(request, form, listing_id)
            except (InsufficientFunds, PriceChanged) as error:
                refused = error
    listing = listings.listing_for_purchase(listing_id)
    if listing is None:
        raise Http404
    if request.method == "GET":
        if running := selectors.open_trade_on(listing.pk, request.user):
            return redirect("escrow:trade", running.pk)
        if listing.seller_id == person(request).pk:
            return redirect("storefront:listing", listing.pk)

    balances = ledger.balances(request.user, listing.currency)
    form = BuyForm(
        **posted(request),
        methods=_methods(listing.currency, balances.available),
        initial={
            "price": listing.price,
            "method": BALANCE if balances.available >= listing.price else None,
        },
    )
    if refused is None and request.method == "POST" and form.is_valid():
        try:
            return _buy(request, form, listing.pk)
        except PriceChanged as error:
            refused = error
    if refused is not None:
        form.add_error("method" if isinstance(refused, InsufficientFunds) else None, str(refused.message))
    if form.is_bound:
        # The page shows the price of now; sending it again agrees to that one.
        form.data = {**request.POST.dict(), "price": listing.price}
    context = {
        "listing": listing,
        "form": form,
        "balances": balances,
        "missing": max(0, listing.price - balances.available),
        "deposit_url": reverse("payments:deposit"),
    }
    return render(request, "escrow/buy.html", context, status=422 if form.is_bound else 200)


def _methods(currency: str, available: int) -> list[tuple[str, str]]:
    balance = _("Wallet: %(amount)s available") % {"amount": Money(available, currency)}
    return [(BALANCE, balance), *((method.code, method.name) for method in payments.active_methods(currency))]


def _buy(request: HttpRequest, form: BuyForm, listing_id: uuid.UUID) -> HttpResponse:
    chosen, key = form.cleaned_data["method"], str(form.cleaned_data["key"])
    step = services.buy_from_balance if chosen == BALANCE else services.buy
    trade = step(
        listing_id=listing_id,
        buyer=person(request),
        idempotency_key=key,
        expected_amount=form.cleaned_data["price"],
    )
    if chosen != BALANCE and trade.status == EscrowTransaction.Status.PENDING_PAYMENT:
        return _to_gateway(request, trade, chosen, key)
    return redirect("escrow:trade", trade.pk)


def _to_gateway(request: HttpRequest, trade: EscrowTransaction, method: str, key: str) -> HttpResponse:
    """On to the payment; to the trade, where it can be tried again, when it could not be started."""
    back = request.build_absolute_uri(reverse("escrow:trade", args=[trade.pk]))
    try:
        started = services.pay_through(
            trade_id=trade.pk,
            buyer=person(request),
            method_code=method,
            idempotency_key=f"{key}:{method}",
            return_url=back,
        )
    except (AmountOutOfRange, MethodNotAvailable, ProviderUnavailable) as error:
        waits = _("The account stays reserved for you: pay here, now or a little later.")
        messages.error(request, f"{error.message} {waits}")
        return redirect("escrow:trade", trade.pk)
    return redirect(started.metadata["payment_url"])


@require_safe
@login_required
@never_cache
def trade(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id)
    is_part = htmx.asked_for(request, {STATE}) is not None
    if is_part and request.GET.get("seen") == selectors.stamp(found):
        # Nothing has changed, so nothing is swapped: what is being typed there stays.
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = _trade_context(request, found, is_part=is_part)
    if not is_part:
        context |= _chat(request, found)
    return htmx.render(request, "escrow/trade.html", context, partials={STATE})


def _chat(request: HttpRequest, found: EscrowTransaction) -> dict[str, object]:
    """The conversation of the two, once the first step has been put into it."""
    talk = messaging.conversation_about(found.listing_id, found.buyer, found.seller)
    if talk is None:
        return {}
    user = person(request)
    return room.enter(user, messaging.thread_of(user, talk.pk))


def _trade_context(request: HttpRequest, found: EscrowTransaction, **more: object) -> dict[str, object]:
    desk = selectors.desk(found, request.user)
    forms: dict[str, object] = {}
    if desk.may_hand_over:
        forms["hand_over_form"] = HandOverForm()
    if desk.may_reveal:
        forms["reveal_form"] = ConfirmationForm(request=request)
    if desk.may_pay:
        balances = ledger.balances(request.user, found.currency)
        forms["pay_form"] = BuyForm(
            methods=_methods(found.currency, balances.available),
            initial={
                "price": found.amount,
                "method": BALANCE if balances.available >= found.amount else None,
            },
        )
    dispute = (
        found.disputes.order_by("-id").first() if found.status == EscrowTransaction.Status.DISPUTED else None
    )
    return {
        "desk": desk, "trade": found, "reveals": selectors.reveals_of(found) if found.is_handed_over else [],
        "dispute": dispute, "active": "trades", "seen": selectors.stamp(found), **forms, **more,
    }  # fmt: skip


@require_POST
@login_required
def pay(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    """Pay for a trade that waits, from the wallet or at a gateway."""
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id, buyer=person(request))
    balances = ledger.balances(request.user, found.currency)
    form = BuyForm(request.POST, methods=_methods(found.currency, balances.available))
    if form.is_valid():
        try:
            if form.cleaned_data["method"] != BALANCE:
                return _to_gateway(request, found, form.cleaned_data["method"], str(form.cleaned_data["key"]))
            services.pay_from_balance(trade_id=found.pk, buyer=person(request))
            return redirect("escrow:trade", found.pk)
        except InsufficientFunds as error:
            form.add_error("method", str(error.message))
    return render(request, "escrow/trade.html", _trade_context(request, found, pay_form=form), status=422)


@require_POST
@login_required
def cancel(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id, buyer=person(request))
    services.cancel(trade_id=found.pk, buyer=person(request))
    messages.success(request, _("The purchase is cancelled. The listing is for sale again."))
    return redirect("escrow:trade", found.pk)


@sensitive_post_parameters()
@require_POST
@login_required
def hand_over(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id, seller=person(request))
    form = HandOverForm(request.POST)
    if form.is_valid():
        try:
            services.hand_over(trade_id=found.pk, seller=person(request), **form.cleaned_data)
            messages.success(request, _("The login is in the secure box. The buyer has been told."))
            return redirect("escrow:trade", found.pk)
        except NothingToHandOver as error:
            form.add_error("login", str(error.message))
    return render(
        request, "escrow/trade.html", _trade_context(request, found, hand_over_form=form), status=422
    )


@sensitive_post_parameters()
@sensitive_variables("box")
@require_POST
@login_required
@never_cache
def reveal(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    """Show the login once, to a buyer who has just said who they are. It is in no address, no session and no cache."""
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id, buyer=person(request))
    form = ConfirmationForm(request.POST, request=request)
    if not (form.is_valid() and form.is_confirmed()):
        context = _trade_context(request, found, reveal_form=form) | _chat(request, found)
        return render(request, "escrow/trade.html", context, status=422)
    _trade, box = services.reveal(trade_id=found.pk, viewer=person(request))
    return render(
        request, "escrow/trade.html", _trade_context(request, found, box=box) | _chat(request, found)
    )


@require_POST
@login_required
def accept(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id, buyer=person(request))
    services.accept(trade_id=found.pk, buyer=person(request))
    return redirect("escrow:trade", found.pk)


@require_http_methods(["GET", "POST"])
@login_required
def confirm(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    """GET asks once more, for browsers without dialogs; POST releases the money."""
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id, buyer=person(request))
    if request.method == "GET":
        return render(request, "escrow/confirm.html", _trade_context(request, found))
    services.confirm(trade_id=found.pk, buyer=person(request))
    messages.success(request, _("The seller is paid. Thank you for trading here."))
    return redirect("escrow:trade", found.pk)


@require_http_methods(["GET", "POST"])
@login_required
def dispute(request: HttpRequest, trade_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(selectors.trades_of(request.user), pk=trade_id)
    form = DisputeForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.open_dispute(trade_id=found.pk, user=person(request), **form.cleaned_data)
            return redirect("escrow:trade", found.pk)
        except DomainError as error:
            form.add_error(None, str(error.message))
    context = _trade_context(request, found, dispute_form=form)
    return render(request, "escrow/dispute.html", context, status=422 if form.is_bound else 200)
