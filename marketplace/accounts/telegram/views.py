"""To Telegram and back. Telegram answers in the part of the address that servers never see, so a script of ours hands it in."""

import logging

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login, render_authentication_error
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts import confirmation
from marketplace.accounts.errors import TelegramNotBelieved
from marketplace.accounts.google.provider import CONNECT, LOGIN, process_of
from marketplace.accounts.telegram import signed
from marketplace.core.errors import DomainError

logger = logging.getLogger(__name__)


@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    if not signed.is_on():
        raise Http404
    process = process_of(request)
    if process != LOGIN and not request.user.is_authenticated:
        return redirect_to_login(reverse("accounts:ways"))
    if process == CONNECT:
        confirmation.must_be_fresh(request)
    response: HttpResponse = get_adapter().get_provider(request, "telegram").redirect_from_request(request)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest) -> HttpResponse:
    if not signed.is_on():
        raise Http404
    if request.method != "POST":
        return render(request, "socialaccount/telegram_back.html")
    try:
        return _came_back(request)
    except DomainError as error:
        logger.info("Telegram sign-in refused: %s (%s)", error.code, error)
        context = {"error": error, "support": settings.SUPPORT_EMAIL}
        response: HttpResponse = render_authentication_error(request, "telegram", extra_context=context)
        response.status_code = error.status
        return response


def _came_back(request: HttpRequest) -> HttpResponse:
    provider = get_adapter().get_provider(request, "telegram")
    try:
        state = provider.unstash_redirect_state(request, request.GET.get("state", ""))
    except PermissionDenied:
        raise TelegramNotBelieved("of another browser, or used") from None
    told = signed.person_in(request.POST.get("tgAuthResult", ""))
    login = provider.sociallogin_from_response(request, told)
    login.state = state
    try:
        response: HttpResponse = complete_social_login(request, login)
    except ImmediateHttpResponse as answer:
        response = answer.response
    return response
