"""One's own data: a copy of all of it, and deleting the account."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts import confirmation, deletion, exports, traces
from marketplace.accounts.errors import DeletionRefused, ExportTooSoon, StaffStays
from marketplace.accounts.forms import DeletionForm
from marketplace.accounts.selectors import person
from marketplace.core.downloads import Download
from marketplace.core.forms import posted


@never_cache
@require_safe
@login_required
def privacy(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    last = exports.latest(person(request), at=now)
    context = {
        "active": "me",
        "export": last,
        "next_export_at": exports.next_at(last, at=now),
        "kept_days": settings.DATA_EXPORT_KEPT.days,
        "wait_days": settings.DELETION_WAIT.days,
    }
    return render(request, "accounts/privacy.html", context)


@require_POST
@login_required
def export_ask(request: HttpRequest) -> HttpResponse:
    confirmation.must_be_fresh(request)
    try:
        exports.ask(user=person(request), at=timezone.now())
    except ExportTooSoon as error:
        messages.warning(request, str(error.message))
    else:
        messages.success(request, _("We are making the copy. You are told when it is ready."))
    return redirect("accounts:privacy")


@never_cache
@require_safe
@login_required
def export_fetch(request: HttpRequest, export_id: uuid.UUID) -> Download:
    """The file, as a download that runs nothing. A stolen session does not get it: the owner says again who they are."""
    found = exports.fetchable(person(request), export_id, at=timezone.now())
    if found is None:
        raise Http404
    confirmation.must_be_fresh(request)
    try:
        file = exports.opened(found)
    except FileNotFoundError:
        raise Http404 from None
    name = f"wibestore-{person(request).public_handle}-{found.created_at:%Y-%m-%d}.zip"
    response = Download(file, as_attachment=True, filename=name, content_type="application/zip")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest) -> HttpResponse:
    """What will happen, what stands against it, and who it is that asks."""
    user = person(request)
    if user.is_leaving:
        return redirect("accounts:privacy")
    form = DeletionForm(**posted(request), request=request, by_factor=True)
    against = [] if user.is_staff else traces.obstacles(user)
    if request.method == "POST" and form.is_valid() and not against and form.is_confirmed():
        try:
            deletion.ask(user=user, at=timezone.now())
        except (DeletionRefused, StaffStays) as error:
            form.add_error(None, str(error.message))
            against = traces.obstacles(user)
        else:
            messages.success(request, _("Your account will be deleted. Until then you can keep it."))
            return redirect("accounts:privacy")
    context = {
        "active": "me",
        "form": form,
        "against": against,
        "is_staff": user.is_staff or user.is_superuser,
        "wait_days": settings.DELETION_WAIT.days,
    }
    return render(request, "accounts/delete.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def keep(request: HttpRequest) -> HttpResponse:
    if deletion.take_back(user=person(request)):
        messages.success(request, _("Your account stays. You can buy and sell again."))
    return redirect("accounts:privacy")
