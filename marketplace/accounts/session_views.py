"""Where one is signed in, ending it, and saying that it was somebody else."""

import uuid

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts import alarms, selectors, sign_ins
from marketplace.accounts.models import SignIn


@never_cache
@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    found = list(selectors.open_sign_ins(selectors.person(request), at=timezone.now()))
    here = sign_ins.current(request)
    found.sort(key=lambda one: one.pk != here)  # this one first
    return render(request, "accounts/sessions.html", {"sign_ins": found, "here": here})


@require_POST
@login_required
def session_end(request: HttpRequest, sign_in_id: uuid.UUID) -> HttpResponse:
    if sign_in_id == sign_ins.current(request):
        logout(request)
        return redirect("account_login")
    get_object_or_404(SignIn, user=selectors.person(request), pk=sign_in_id)
    if sign_ins.end(user=selectors.person(request), sign_in_id=sign_in_id):
        messages.success(request, _("That sign-in is ended."))
    return redirect("accounts:sessions")


@require_POST
@login_required
def sessions_end_others(request: HttpRequest) -> HttpResponse:
    ended = sign_ins.end_all(user=selectors.person(request), but=sign_ins.current(request))
    messages.success(
        request,
        ngettext("%(count)d sign-in is ended.", "%(count)d sign-ins are ended.", ended) % {"count": ended},
    )
    return redirect("accounts:sessions")


@never_cache
@require_http_methods(["GET", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail about a new sign-in. Looking changes nothing: mail programs fetch links by themselves.

    What the mail carries is the credential, so nobody has to be signed in, and whoever is signed in here is out as well.
    """
    if request.method == "POST":
        done = alarms.raise_alarm(token=token)
        if done and request.user == done:
            logout(request)  # their own session is gone with the others
        return render(
            request, "accounts/not_me.html", {"step": "done" if done else "gone"}, status=200 if done else 410
        )
    device = alarms.device_of(token)
    context = {"step": "ask" if device else "gone", "device": device, "token": token}
    return render(request, "accounts/not_me.html", context, status=200 if device else 410)
