"""To Google and back."""

import logging
from typing import Any

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.accounts import confirmation
from marketplace.accounts.google import openid
from marketplace.accounts.google.provider import CONNECT, LOGIN, GoogleAdapter, process_of
from marketplace.core.errors import DomainError

logger = logging.getLogger(__name__)


class _Back(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[dict[str, Any] | None, Any]:
        state, response = super()._get_state(request, provider)
        if state is not None:
            self.adapter.nonce = state.get("nonce", "")
        return state, response


_to_google = OAuth2LoginView.adapter_view(GoogleAdapter)
_from_google = _Back.adapter_view(GoogleAdapter)


@never_cache
@require_http_methods(["GET", "POST"])
def oauth2_login(request: HttpRequest) -> HttpResponse:
    """Looking asks, pressing leaves for Google: nobody is sent there, and signed in, by a link of somebody else's."""
    if not openid.is_on():
        raise Http404
    process = process_of(request)
    if process != LOGIN and not request.user.is_authenticated:
        return redirect_to_login(reverse("accounts:ways"))
    if process == CONNECT:
        confirmation.must_be_fresh(request)
    return _answered(request, _to_google)


@never_cache
@require_safe
def oauth2_callback(request: HttpRequest) -> HttpResponse:
    if not openid.is_on():
        raise Http404
    return _answered(request, _from_google)


def _answered(request: HttpRequest, view: Any) -> HttpResponse:
    """A refusal is a page that says how to go on; nothing has changed then."""
    try:
        response: HttpResponse = view(request)
        return response
    except DomainError as error:
        logger.info("Google sign-in refused: %s (%s)", error.code, error)
        return refused(request, error)
    except IntegrityError:
        # The same person came in by two windows at once: the other one has made the account.
        return refused(request, None)


def refused(request: HttpRequest, error: DomainError | None) -> HttpResponse:
    context = {"error": error, "support": settings.SUPPORT_EMAIL}
    response: HttpResponse = render_authentication_error(request, "google", extra_context=context)
    if error is not None:
        response.status_code = error.status
    return response
