"""The sandbox gateway's own pages, as a payer and a merchant's server would see them."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from marketplace.payments import gateway, sandbox
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
