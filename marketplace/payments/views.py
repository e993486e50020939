"""The wallet: balances and history, money in, money out."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts import confirmation, second_factor
from marketplace.accounts.selectors import person
from marketplace.core import htmx
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.money import Currency, Minor, Money
from marketplace.ledger.errors import InsufficientFunds
from marketplace.payments import chart, movements, selectors, services
from marketplace.payments.errors import (
    AmountOutOfRange,
    BadCard,
    BankCodeNeeded,
    CardTooNew,
    DailyLimit,
    MethodNotAvailable,
    SecondFactorNeeded,
)
from marketplace.payments.forms import DepositForm, HistoryForm, WithdrawForm
from marketplace.payments.models import PaymentMethod, Transaction
from marketplace.payments.receipts import receipt_of
from marketplace.payments.services.verification import GIVE_UP_AFTER

PER_PAGE = 20
CHART_DAYS = (7, 30, 365)
PRESETS = {
    "UZS": (50_000_00, 100_000_00, 200_000_00, 500_000_00, 1_000_000_00),
    "KZT": (2_000_00, 5_000_00, 10_000_00, 25_000_00, 50_000_00),
    "USD": (5_00, 10_00, 20_00, 50_00, 100_00),
}
TABS = {
    "": gettext_lazy("All"),
    "sales": gettext_lazy("Sales"),
    "purchases": gettext_lazy("Purchases"),
    "deposits": gettext_lazy("Top-ups"),
    "payouts": gettext_lazy("Payouts"),
    "refunds": gettext_lazy("Refunds"),
}
# Which field a refusal of the services belongs to.
FIELD_OF = {
    InsufficientFunds: "amount",
    AmountOutOfRange: "amount",
    BadCard: "card_number",
    BankCodeNeeded: "bank_code",
    CardTooNew: "card_number",
    DailyLimit: "amount",
    MethodNotAvailable: "method",
    SecondFactorNeeded: "amount",
}


@require_safe
@login_required
def wallet(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    shown = selectors.wallet_of(request.user, chosen_currency(request))
    filters = HistoryForm(request.GET)
    tab = request.GET.get("type", "")
    rows = selectors.found(request.user, **filters.criteria(at=now), currency=shown.currency)
    page = Paginator(rows, per_page=PER_PAGE).get_page(request.GET.get("page"))
    after = movements.balances_after(request.user, page.object_list, shown.currency)
    context = {
        "active": "me",
        "wallet": shown,
        "money": shown.money,
        "currency": shown.currency,
        "same_wallet": same_wallet(shown.currency),
        "wallet_url": reverse("payments:wallet") + same_wallet(shown.currency),
        "page": page,
        "lines": [(row, after.get(row.pk)) for row in page],
        "filters": filters,
        "is_filtered": filters.is_used,
        "tabs": [(name, label, name == (tab if tab in TABS else "")) for name, label in TABS.items()],
        **_balance_chart(request, shown),
    }
    return htmx.render(
        request,
        "payments/wallet.html",
        context,
        partials={"transactions"},
        status=422 if filters.errors else 200,
    )


def _balance_chart(request: HttpRequest, shown: selectors.Wallet) -> dict[str, object]:
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(number) for number in CHART_DAYS} else 30
    points = selectors.balance_by_day(
        request.user,
        available=shown.money.available,
        today=timezone.localdate(),
        days=days,
        currency=shown.currency,
    )
    first, last = points[0].balance, points[-1].balance
    title = _("Balance over %(days)s days, from %(first)s to %(last)s") % {
        "days": days, "first": Money(first, shown.currency), "last": Money(last, shown.currency),
    }  # fmt: skip
    return {
        "days": days,
        "chart_days": CHART_DAYS,
        "has_chart": any(point.balance for point in points),
        "chart": chart.balance(points, title=title),
        "chart_narrow": chart.balance(points, title=title, width=chart.NARROW),
        "change": round((last - first) * 100 / first) if first else None,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def deposit(request: HttpRequest) -> HttpResponse:
    offered = list(selectors.methods())
    currency = _paid_in(request, offered)
    methods = [method for method in offered if method.currency == currency]
    form = DepositForm(
        **posted(request),
        methods=selectors.active_methods(currency),
        currency=currency,
        initial={"amount": request.GET.get("amount", ""), "method": methods[0].code if methods else None},
    )
    if request.method == "POST" and form.is_valid():
        try:
            payment = _start(request, form)
        except DomainError as error:
            _explain(form, error)
        else:
            return redirect(payment.payment_url or reverse("payments:return", args=[payment.pk]))
    context = {
        "active": "me",
        "form": form,
        "presets": [amount for amount in PRESETS[currency] if any(_takes(one, amount) for one in methods)],
        "money": selectors.wallet_of(request.user, currency).money,
        "currency": currency,
        "same_wallet": same_wallet(currency),
        "currencies": [code for code in Currency.values if any(one.currency == code for one in offered)],
        "groups": _grouped(methods),
    }
    return render(request, "payments/deposit.html", context, status=422 if form.is_bound else 200)


def _paid_in(request: HttpRequest, offered: list[PaymentMethod]) -> str:
    """The currency of the method that was sent, else the one the address names."""
    sent = request.POST.get("method", "")
    return next((one.currency for one in offered if one.code == sent), chosen_currency(request))


def _takes(method: PaymentMethod, amount: Minor) -> bool:
    return method.min_amount <= amount <= method.max_amount


def _grouped(methods: list[PaymentMethod]) -> list[tuple[str, list[PaymentMethod]]]:
    """Wallets, cards, Kazakhstan: those that there are, each with its methods in their order."""
    groups: dict[str, list[PaymentMethod]] = {"wallets": [], "cards": [], "kazakhstan": []}
    for method in methods:
        is_card = method.icon == "credit-card"
        name = "kazakhstan" if method.currency == Currency.KZT else "cards" if is_card else "wallets"
        groups[name].append(method)
    labels = {"wallets": _("Wallets"), "cards": _("Cards"), "kazakhstan": _("Kazakhstan")}
    return [(labels[name], found) for name, found in groups.items() if found]


def _start(request: HttpRequest, form: DepositForm) -> Transaction:
    key = form.cleaned_data["key"]
    return services.start_payment(
        user=person(request),
        amount=form.cleaned_data["amount"],
        currency=form.cleaned_data["method"].currency,
        method_code=form.cleaned_data["method"].code,
        idempotency_key=key,
        return_url=request.build_absolute_uri(reverse("payments:back", args=[key])),
    )


def _explain(form: DepositForm | WithdrawForm, error: DomainError) -> None:
    field = FIELD_OF.get(type(error))
    if field == "card_number" and form.data.get("card") not in {None, "", WithdrawForm.NEW}:
        field = "card"
    form.add_error(field, str(error.message))
    form.with_new_key()


@require_safe
@login_required
def back(request: HttpRequest, key: str) -> HttpResponse:
    """Where the provider sends the payer: the key of the form is known before the transaction is."""
    return redirect(
        "payments:return", get_object_or_404(Transaction, user=request.user, idempotency_key=key).pk
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def withdraw(request: HttpRequest) -> HttpResponse:
    currency = chosen_currency(request)
    cards = list(selectors.payout_cards_of(request.user))
    form = WithdrawForm(
        **posted(request),
        request=request,
        cards=cards,
        currency=currency,
        initial={"amount": request.GET.get("amount", "")},
    )
    if request.method == "POST" and form.is_valid() and form.is_confirmed():
        try:
            payout = services.withdraw(
                user=person(request),
                amount=form.cleaned_data["amount"],
                card_number=form.cleaned_data["number"],
                bank_code=form.cleaned_data["mfo"],
                idempotency_key=form.cleaned_data["key"],
                currency=currency,
            )
        except DomainError as error:
            _explain(form, error)
        else:
            messages.success(request, _("Your payout is on its way."))
            return redirect("payments:transaction", payout.pk)
    shown = selectors.wallet_of(request.user, currency)
    context = {
        "active": "me",
        "form": form,
        "cards": cards,
        "now": timezone.now(),
        "money": shown.money,
        "debt": shown.debt,
        "currency": currency,
        "least": settings.WITHDRAWAL_LIMITS[currency][0],
        "most": settings.WITHDRAWAL_LIMITS[currency][1],
        "hours": settings.PAYOUT_HOURS[person(request).plan],
        "factor_from": 0
        if second_factor.is_required(person(request))
        else settings.PAYOUT_SECOND_FACTOR_FROM[currency],
    }
    return render(request, "payments/withdraw.html", context, status=422 if form.is_bound else 200)


def chosen_currency(request: HttpRequest) -> str:
    """The wallet that is meant: soʻm unless the address says otherwise."""
    asked = request.GET.get("currency", "")
    return asked if asked in Currency.values else str(Currency.UZS)


def same_wallet(currency: str) -> str:
    """The end of an address that stays in the wallet of this currency."""
    return "" if currency == Currency.UZS else f"?currency={currency}"


@require_POST
@login_required
def remove_card(request: HttpRequest, card_id: UUID) -> HttpResponse:
    if not selectors.is_payout_card_of(request.user, card_id):
        raise Http404
    confirmation.must_be_fresh(request)
    services.remove_card(user=person(request), card_id=card_id)
    messages.success(request, _("The card is removed."))
    return redirect("payments:withdraw")


@require_safe
@login_required
def transaction(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    row = get_object_or_404(selectors.transactions_of(request.user), pk=transaction_id)
    context = {
        "active": "me",
        "row": row,
        "place": selectors.place_in_queue(row),
        "receipt": receipt_of(request.user, row),
        "same_wallet": same_wallet(row.currency),
    }
    return render(request, "payments/transaction.html", context)


@require_safe
@never_cache
@login_required
def result(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """How a payment ended. The return itself proves nothing: only the provider's word, sent to us, credits money."""
    payment = get_object_or_404(
        selectors.transactions_of(request.user), pk=transaction_id, type=Transaction.Type.DEPOSIT
    )
    context = {
        "active": "me",
        "payment": payment,
        "state": _state(payment),
        "given_up_at": payment.created_at + GIVE_UP_AFTER,
        "same_wallet": same_wallet(payment.currency),
    }
    return htmx.render(request, "payments/result.html", context, partials={"result"})


def _state(payment: Transaction) -> str:
    """Which of the pages of a result: pending, completed, refunded, failed or cancelled."""
    if payment.is_open:
        return "pending"
    if payment.status == Transaction.Status.COMPLETED and payment.refunded:
        return "refunded"
    return payment.status


@require_POST
@login_required
def check(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """Ask the provider now instead of waiting for its call."""
    payment = get_object_or_404(selectors.transactions_of(request.user), pk=transaction_id)
    services.verify(transaction_id=payment.pk)
    return redirect("payments:return", payment.pk)
