"""Messages that people have reported, and those that were sent over the contact guard's warning."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.messaging import selectors as messaging
from marketplace.messaging import services
from marketplace.messaging.guard import RULES, Kind
from marketplace.moderation import services as moderation

PER_PAGE = 20
SHOWS = ("open", "decided", "guard")

readers_only = staff_only("messaging.read_reported")


@require_safe
@readers_only
def reports(request: HttpRequest) -> HttpResponse:
    """`?show=` open (the oldest first), decided, or guard; `?report=` shows what was said around that one."""
    show = request.GET.get("show", "")
    show = show if show in SHOWS else "open"
    number, waiting = request.GET.get("page"), messaging.reports().count()
    context: dict[str, Any] = {"show": show, "waiting": waiting, **_frame(waiting)}
    if show == "guard":
        context["page"] = seen = Paginator(messaging.overridden(), PER_PAGE).get_page(number)
        context["rows"] = [(one, [RULES[Kind(kind)].what for kind in one.overridden]) for one in seen]
    else:
        found = messaging.reports(is_open=show == "open")
        context["page"] = told = Paginator(found, PER_PAGE).get_page(number)
        chosen = request.GET.get("report", "")
        for one in told:
            if str(one.pk) == chosen:
                moderation.note_look_at_report(report=one, actor=person(request))
        context["rows"] = [(one, messaging.around(one) if str(one.pk) == chosen else []) for one in told]
    return render(request, "moderation/reports.html", context)


@require_POST
@readers_only
def decide(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """`decision` is "uphold" or "dismiss"; anything else decides nothing."""
    row = get_object_or_404(messaging.reports(), pk=report_id)
    decision = request.POST.get("decision")
    if decision in {"uphold", "dismiss"}:
        services.decide_report(report_id=row.pk, actor=person(request), is_upheld=decision == "uphold")
        done = _("The message is deleted for both.") if decision == "uphold" else _("The message stays.")
        messages.success(request, done)
    return redirect("moderation:reports")


def _frame(waiting: object) -> dict[str, object]:
    nav = {
        "icon": "flag",
        "label": _("Reported messages"),
        "url": reverse("moderation:reports"),
        "count": waiting,
        "here": True,
    }
    return {"area": _("Moderation"), "console_nav": [nav]}
