"""Plans to choose from, the way to one, and one's own."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts.models import User
from marketplace.accounts.selectors import person
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.money import Money
from marketplace.ledger.errors import InsufficientFunds
from marketplace.payments import selectors as payments
from marketplace.payments.errors import AmountOutOfRange, MethodNotAvailable
from marketplace.subscriptions import selectors, services
from marketplace.subscriptions.forms import BALANCE, CancelForm, CheckoutForm, RenewalForm
from marketplace.subscriptions.manager import manager_of
from marketplace.subscriptions.models import Period, SubscriptionPlan
from marketplace.subscriptions.pricing import Change, Quote, quote

PER_PAGE = 10
# Which field a refusal of the services belongs to; the others concern the form as a whole.
FIELD_OF = {InsufficientFunds: "method", AmountOutOfRange: "method", MethodNotAvailable: "method"}


def _period(request: HttpRequest) -> Period:
    """The period that the address asks for; a month where it asks for nothing we know."""
    asked = (request.POST if request.method == "POST" else request.GET).get("period", "")
    return Period(asked) if asked in Period.values else Period.MONTHLY


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    period, offered = _period(request), list(selectors.plans())
    user = request.user
    current = selectors.current_of(user) if user.is_authenticated else None
    turnover = selectors.turnover_of(user, at=timezone.now()) if user.is_authenticated else 0
    shown = turnover or selectors.SAMPLE_TURNOVER
    yearly = period == Period.YEARLY
    context = {
        "active": "plans",
        "plans": offered,
        "yearly": yearly,
        "discount": max((plan.discount for plan in offered), default=0),
        "current": current,
        "turnover": shown,
        "has_turnover": bool(turnover),
        "costs": selectors.costs(offered, turnover=shown, yearly=yearly),
        "methods": payments.active_methods(),
    }
    return render(request, "subscriptions/plans.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def checkout(request: HttpRequest, slug: str) -> HttpResponse:
    """What the change costs now, and how to pay. Without anything to pay it is only confirmed."""
    plan = selectors.plan_by_slug(slug)
    if plan is None:
        if slug == User.Plan.FREE:
            return redirect("subscriptions:mine")
        raise Http404
    me, period = person(request), _period(request)
    methods = list(payments.active_methods(SubscriptionPlan.CURRENCY))
    money = payments.money_of(me)
    at = timezone.now().replace(microsecond=0)
    current = selectors.current_of(me)
    offer = quote(current, plan, period, at=at)
    wallet = _("Wallet: %(amount)s available") % {"amount": Money(money.available)}
    choices = [(BALANCE, wallet), *((method.code, method.name) for method in methods)]
    form = CheckoutForm(
        **posted(request),
        methods=choices if offer.due else choices[:1],
        initial={
            "period": period.value,
            "price": offer.due,
            "quoted_at": int(at.timestamp()),
            "method": BALANCE if money.available >= offer.due else None,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            return _bought(request, plan, period, form, offer)
        except DomainError as error:
            form.add_error(FIELD_OF.get(type(error)), str(error.message))
    if form.is_bound:
        # The page shows the price of now, and sending it again agrees to that one.
        form.with_new_key()
        form.data = {**form.data, "price": offer.due, "quoted_at": int(at.timestamp())}
    context = {
        "active": "plans",
        "plan": plan,
        "period": period,
        "yearly": period == Period.YEARLY,
        "offer": offer,
        "form": form,
        "is_now": offer.change in {Change.START, Change.NOW},
        "is_later": offer.change is Change.LATER,
        "noted_for": current.ends_at if current and current.next_plan_id else None,
        "missing": max(0, offer.due - money.available),
        "deposit_url": reverse("payments:deposit"),
    }
    return render(request, "subscriptions/checkout.html", context, status=422 if form.is_bound else 200)


def _bought(
    request: HttpRequest, plan: SubscriptionPlan, period: Period, form: CheckoutForm, offer: Quote
) -> HttpResponse:
    given: dict[str, Any] = {
        "user": person(request),
        "plan": plan,
        "period": period,
        "idempotency_key": form.cleaned_data["key"],
        "quoted_at": form.cleaned_data["quoted_at"],
        "expected_amount": form.cleaned_data["price"],
        "auto_renew": form.cleaned_data["auto_renew"] or offer.change is Change.LATER,
    }
    mine = reverse("subscriptions:mine")
    if (method := form.cleaned_data["method"]) != BALANCE:
        back = request.build_absolute_uri(mine)
        _waiting, payment = services.purchase_through(method_code=method, return_url=back, **given)
        return redirect(payment.payment_url or mine)
    subscription = services.purchase(**given)
    if subscription.next_plan_id:
        messages.success(request, _("The change is noted. It takes effect at the end of the period."))
    else:
        messages.success(request, _("Your plan: %(plan)s.") % {"plan": subscription.plan.name})
    return redirect(mine)


@require_safe
@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    me = person(request)
    current = selectors.current_of(me)
    money = payments.money_of(me)
    page = Paginator(selectors.payments_of(me), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "active": "me",
        "current": current,
        "free": None if current else SubscriptionPlan.objects.filter(slug=User.Plan.FREE).first(),
        "money": money,
        "missing": max(0, current.renewal_price - money.available) if current and current.will_renew else 0,
        "waiting": selectors.waiting_of(me, at=timezone.now()),
        "page": page,
        "manager": manager_of(me.plan),
    }
    return render(request, "subscriptions/mine.html", context)


@require_POST
@login_required
def renewal(request: HttpRequest) -> HttpResponse:
    """The switch: renew by itself or not."""
    form = RenewalForm(request.POST)
    if not form.is_valid():
        return redirect("subscriptions:mine")
    current = services.set_auto_renew(user=person(request), is_on=form.cleaned_data["is_on"])
    if current.auto_renew:
        messages.success(request, _("Your plan renews by itself."))
    else:
        messages.success(request, _("Your plan will not be renewed."))
    return redirect("subscriptions:mine")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def cancel(request: HttpRequest) -> HttpResponse:
    """GET asks once more; POST stops the plan at the end of what is paid for."""
    current = selectors.current_of(person(request))
    if current is None:
        return redirect("subscriptions:mine")
    form = CancelForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        services.cancel(user=person(request), reason=form.cleaned_data["reason"])
        messages.success(request, _("Your plan is cancelled."))
        return redirect("subscriptions:mine")
    context = {"active": "me", "current": current, "form": form}
    return render(request, "subscriptions/cancel.html", context, status=422 if form.is_bound else 200)
