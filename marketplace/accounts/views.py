"""One's own profile."""

from copy import copy

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.accounts import services
from marketplace.accounts.forms import ProfileForm
from marketplace.accounts.selectors import person
from marketplace.core.forms import posted


@require_safe
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/profile.html")


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest) -> HttpResponse:
    # A copy: what a refused form holds must not stand in the page's header as if it were saved.
    form = ProfileForm(**posted(request), instance=copy(person(request)))
    if request.method == "POST" and form.is_valid():
        services.edit_profile(user=form.instance, changed=form.changed_data)
        messages.success(request, _("Your profile is saved."))
        response = redirect("accounts:profile")
        if "language" in form.changed_data:
            # The browser's own choice goes before the person's row, and would hide this one.
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                form.instance.language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                samesite="Lax",
                secure=request.is_secure(),
            )
        return response
    return render(request, "accounts/edit.html", {"form": form}, status=422 if form.is_bound else 200)
