"""The inbox of notifications, and the developer's page of mails."""

import uuid

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts.selectors import person
from marketplace.core import htmx
from marketplace.notifications import mail, selectors, services

PAGE = 20
PANEL = 6


@require_safe
@login_required
def notification_list(request: HttpRequest) -> HttpResponse:
    found = selectors.notifications_of(request.user)
    only_unread = request.GET.get("show") == "unread"
    page = Paginator(found.filter(is_read=False) if only_unread else found, PAGE).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "only_unread": only_unread}
    return htmx.render(request, "notifications/list.html", context, partials={"notifications"})


@require_POST
@login_required
def notification_open(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Mark as read and go to what it is about."""
    notification = get_object_or_404(selectors.notifications_of(request.user), pk=notification_id)
    services.mark_read(user=person(request), notification_id=notification.pk)
    return redirect(notification.action_url or "notifications:list")


@require_safe
@login_required
@never_cache
def panel(request: HttpRequest) -> HttpResponse:
    """What the bell opens on wide screens: the latest few."""
    latest = list(selectors.notifications_of(request.user)[:PANEL])
    context = {"notifications": latest, "unread": selectors.unread_count(request.user)}
    return render(request, "notifications/_panel.html", context)


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_all_read(user=person(request))
    return redirect("notifications:list")


@require_safe
def developer_mails(request: HttpRequest) -> HttpResponse:
    """Mails that were "sent" on this machine. Served outside production only."""
    return render(request, "notifications/developer_mails.html", {"mails": list(mail.kept_mails())})


@require_safe
def developer_mail(request: HttpRequest, name: str) -> HttpResponse:
    file = mail.MAIL_DIR / f"{name}.eml"
    if not name.isdigit() or not file.exists():
        raise Http404
    return render(request, "notifications/developer_mail.html", {"mail": mail.read_mail(file)})
