"""Asking to hold events."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from marketplace.accounts import organizers
from marketplace.accounts.forms import OrganizerForm
from marketplace.accounts.models import OrganizerProfile
from marketplace.accounts.selectors import person
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def apply(request: HttpRequest) -> HttpResponse:
    """The form, how the application stands, or that they hold events already."""
    profile = organizers.profile_of(person(request))
    is_in = profile is not None and profile.status == OrganizerProfile.Status.APPROVED
    if is_in and request.method == "POST":
        return redirect("organizer_apply")
    # What is typed goes into no row before the service has it.
    initial = {name: getattr(profile, name) or "" for name in OrganizerForm.Meta.fields} if profile else {}
    form = OrganizerForm(**posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            organizers.apply(user=person(request), words=form.words, at=timezone.now())
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("Your application is sent. You are told when it is decided."))
            return redirect("organizer_apply")
    context = {"active": "me", "form": form, "profile": profile, "is_in": is_in}
    return render(request, "accounts/organizer.html", context, status=422 if form.is_bound else 200)
