"""Who asks to hold events, and the answer."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts import organizers
from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.moderation.forms import OrganizerRejectForm

PER_PAGE = 20

deciders_only = staff_only("accounts.decide_organizer")


@require_safe
@deciders_only
def applications(request: HttpRequest) -> HttpResponse:
    """`?show=decided` for those that are over."""
    return _page(request)


def _page(
    request: HttpRequest, *, form: OrganizerRejectForm | None = None, about: UUID | None = None
) -> HttpResponse:
    show = "decided" if request.GET.get("show") == "decided" else "open"
    waiting = organizers.applications().count()
    page = Paginator(organizers.applications(is_open=show == "open"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [(one, form if form and one.pk == about else OrganizerRejectForm(key=one.pk)) for one in page]
    nav = {
        "icon": "calendar-days",
        "label": _("Organisers"),
        "url": reverse("moderation:organizers"),
        "count": waiting,
        "here": True,
    }
    context = {
        "show": show,
        "waiting": waiting,
        "page": page,
        "rows": rows,
        "area": _("Moderation"),
        "console_nav": [nav],
    }
    return render(request, "moderation/organizers.html", context, status=422 if form else 200)


@require_POST
@deciders_only
def approve(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    row = get_object_or_404(organizers.applications(), pk=profile_id)
    organizers.decide(profile_id=row.pk, actor=person(request), at=timezone.now())
    messages.success(request, _("They may hold events now."))
    return redirect("moderation:organizers")


@require_POST
@deciders_only
def reject(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    row = get_object_or_404(organizers.applications(), pk=profile_id)
    form = OrganizerRejectForm(request.POST, key=row.pk)
    if not form.is_valid():
        return _page(request, form=form, about=row.pk)
    reason = form.cleaned_data["reason"]
    organizers.decide(profile_id=row.pk, actor=person(request), reason=reason, at=timezone.now())
    messages.success(request, _("The application is rejected, and they are told why."))
    return redirect("moderation:organizers")
