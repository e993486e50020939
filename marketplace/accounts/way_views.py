"""What opens one's account: seeing it, taking away, and saying by it who one is."""

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import password_set
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts import confirmation, connections, selectors
from marketplace.accounts.selectors import person


@never_cache
@require_safe
@login_required
def ways(request: HttpRequest) -> HttpResponse:
    found = selectors.ways_in(person(request))
    named = [(account, connections.name_of(account)) for account in found.accounts]
    return render(request, "accounts/ways.html", {"ways": found, "accounts": named})


@require_POST
@login_required
def disconnect(request: HttpRequest, account_id: int) -> HttpResponse:
    confirmation.must_be_fresh(request)
    connections.disconnect(user=person(request), account_id=account_id)
    messages.success(request, _("It opens your account no longer."))
    return redirect("accounts:ways")


@never_cache
@require_safe
@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks those who have no password here; allauth's pages ask the others."""
    found = selectors.ways_in(person(request))
    context = {"ways": found, "next": get_next_redirect_url(request) or ""}
    return render(request, "accounts/confirm.html", context)


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
@login_required
def set_password(request: HttpRequest) -> HttpResponse:
    """allauth's page, for those who have just said who they are: a stolen session must not make a way in of its own."""
    if not person(request).has_usable_password():
        confirmation.must_be_fresh(request)
    response: HttpResponse = password_set(request)
    return response
