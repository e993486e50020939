"""Pages that take a card for providers without a page of their own: the card, then the code from its bank."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.payments import selectors, services
from marketplace.payments.card_forms import CardForm, CodeForm
from marketplace.payments.errors import BadCard, CardRefused, NotEnoughOnCard, WrongCode
from marketplace.payments.models import Transaction
from marketplace.payments.services.card_entry import card_of

CARD_CODES = ("uzcard", "humo")
# Which field a refusal belongs to.
FIELD_OF = {
    BadCard: "card_number",
    CardRefused: "card_number",
    NotEnoughOnCard: "card_number",
    WrongCode: "code",
}


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def card(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """The number goes on at once: it is neither kept nor logged."""
    payment = _payment(request, transaction_id)
    if not payment.is_open:
        return redirect("payments:return", payment.pk)
    form = CardForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.send_card(
                transaction_id=payment.pk,
                card=form.cleaned_data["card_number"],
                expiry=form.cleaned_data["expiry"],
            )
        except DomainError as error:
            form.add_error(FIELD_OF.get(type(error)), str(error.message))
        else:
            return redirect("payments:code", payment.pk)
    context = {"active": "me", "payment": payment, "form": form, "is_played": _is_played(payment)}
    return render(request, "payments/card.html", context, status=422 if form.is_bound else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def code(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    payment = _payment(request, transaction_id)
    known = card_of(payment)
    if not payment.is_open:
        return redirect("payments:return", payment.pk)
    if "last_four" not in known:
        return redirect("payments:card", payment.pk)
    form = CodeForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm_card(transaction_id=payment.pk, code=form.cleaned_data["code"])
        except DomainError as error:
            field = FIELD_OF.get(type(error))
            form.add_error(field if field in form.fields else None, str(error.message))
        else:
            return redirect("payments:return", payment.pk)
    context = {
        "active": "me",
        "payment": payment,
        "form": form,
        "last_four": known["last_four"],
        "is_played": _is_played(payment),
    }
    return render(request, "payments/code.html", context, status=422 if form.is_bound else 200)


def _payment(request: HttpRequest, transaction_id: UUID) -> Transaction:
    """The person's own deposit by a card that is typed here."""
    payment = get_object_or_404(
        selectors.transactions_of(request.user), pk=transaction_id, type=Transaction.Type.DEPOSIT
    )
    if payment.payment_method is None or payment.payment_method.code not in CARD_CODES:
        raise Http404
    return payment


def _is_played(payment: Transaction) -> bool:
    """Whether the built-in gateway plays the bank: then the page says which code it takes."""
    method = payment.payment_method.code if payment.payment_method else ""
    return settings.DEVELOPER_PAGES and not settings.PAYMENT_CONFIG.get(method, {}).get("api_url")
