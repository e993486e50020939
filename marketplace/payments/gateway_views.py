"""The sandbox gateway's own pages, as a payer and a merchant's server would see them."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from marketplace.payments import gateway, sandbox
from marketplace.payments.gateway.plays import PLAYS
from marketplace.payments.gateway.stage import Stage
from marketplace.payments.models import SandboxPayment


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The hosted payment page; its address carries the order, signed."""
    payment = gateway.opened(request.META.get("QUERY_STRING", ""))
    if payment is None:
        raise Http404
    return _page(request, payment)


@require_POST
def press(request: HttpRequest, payment_id: UUID, action: str) -> HttpResponse:
    if action not in gateway.ACTIONS or not SandboxPayment.objects.filter(pk=payment_id).exists():
        raise Http404
    base = f"{request.scheme}://{request.get_host()}"
    payment = gateway.act(payment_id=payment_id, action=action, base=base)
    if url_has_allowed_host_and_scheme(payment.return_url, allowed_hosts={request.get_host()}):
        return redirect(payment.return_url)
    return _page(request, payment)


@require_safe
def status(request: HttpRequest, order: UUID) -> HttpResponse:
    """What the gateway tells a merchant's server that asks, signed with the shared secret."""
    if not sandbox.is_signed(request.headers, request.path.encode(), at=timezone.now()):
        return JsonResponse({"error": "bad signature"}, status=401)
    return JsonResponse(gateway.described(get_object_or_404(SandboxPayment, order=order)))


def _page(request: HttpRequest, payment: SandboxPayment) -> HttpResponse:
    return render(request, "payments/sandbox.html", {"payment": payment})


@require_safe
@never_cache
def company(request: HttpRequest, code: str, rest: str = "") -> HttpResponse:
    """A provider's hosted payment page, as the gateway plays it."""
    play = PLAYS.get(code)
    payment = play.read(request, rest) if play else None
    if play is None or payment is None:
        raise Http404
    return redirect("payments:gateway-payment", payment.pk)


@require_safe
@never_cache
def company_payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The same page under the gateway's own number: what can be pressed, and the calls so far."""
    payment = get_object_or_404(SandboxPayment, pk=payment_id)
    play = PLAYS.get(payment.provider)
    if play is None:
        raise Http404
    pressable = [button for button in play.buttons if button.needs == payment.state]
    context = {
        "payment": payment,
        "play": play,
        "main": [button for button in pressable if not button.hint],
        "tricks": [button for button in pressable if button.hint],
        "calls": payment.calls.order_by("-pk")[:40],
    }
    return render(request, "payments/gateway.html", context)


@require_POST
def company_press(request: HttpRequest, payment_id: UUID, action: str) -> HttpResponse:
    payment = get_object_or_404(SandboxPayment, pk=payment_id)
    play = PLAYS.get(payment.provider)
    button = play.button(action) if play else None
    if button is None:
        raise Http404
    if button.needs == payment.state:
        button.play(Stage(payment, f"{request.scheme}://{request.get_host()}"))
    return redirect("payments:gateway-payment", payment.pk)


@csrf_exempt
def company_api(request: HttpRequest, code: str, rest: str) -> HttpResponse:
    """What our adapter asks the provider for."""
    play = PLAYS.get(code)
    if play is None or play.api is None:
        raise Http404
    return play.api(request, rest)
