"""The moderation queue."""

import uuid
from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts.selectors import may_moderate, person
from marketplace.listings import services as listings
from marketplace.moderation import selectors
from marketplace.moderation.forms import RejectForm

type View = Callable[..., HttpResponse]
SHOWN = 50


def moderators_only(view: View) -> View:
    """Sign-in for strangers, 403 for people without the right."""

    @wraps(view)
    @login_required
    @never_cache
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not may_moderate(person(request)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@moderators_only
def queue(request: HttpRequest) -> HttpResponse:
    return _queue(request, chosen=request.GET.get("listing", ""))


def _queue(request: HttpRequest, *, chosen: str, form: RejectForm | None = None) -> HttpResponse:
    """The queue beside the chosen listing, or beside the oldest one."""
    waiting = list(selectors.queue()[:SHOWN])
    listing = next((one for one in waiting if str(one.pk) == chosen), waiting[0] if waiting else None)
    count = selectors.waiting()
    context = {
        "queue": waiting,
        "listing": listing,
        "facts": listing.game.schema.facts(listing.attributes) if listing else [],
        "record": selectors.record_of(listing.seller) if listing else {},
        "count": count,
        "overdue": selectors.overdue(at=timezone.now()),
        "form": form or RejectForm(),
        "area": _("Moderation"),
        "console_nav": [
            {
                "icon": "scan-line",
                "label": _("Listings"),
                "url": reverse("moderation:queue"),
                "count": count,
                "here": True,
            }
        ],
    }
    return render(request, "moderation/queue.html", context, status=422 if form else 200)


@require_POST
@moderators_only
def approve(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    listing = get_object_or_404(selectors.queue(), pk=listing_id)
    listings.approve(listing_id=listing.pk, moderator=person(request))
    messages.success(request, _("“%(title)s” is published.") % {"title": listing.title})
    return redirect("moderation:queue")


@require_POST
@moderators_only
def reject(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    listing = get_object_or_404(selectors.queue(), pk=listing_id)
    form = RejectForm(request.POST)
    if not form.is_valid():
        return _queue(request, chosen=str(listing.pk), form=form)
    with translation.override(listing.seller.language):
        reason = form.text()
    listings.reject(listing_id=listing.pk, moderator=person(request), reason=reason)
    messages.success(request, _("“%(title)s” was sent back to its seller.") % {"title": listing.title})
    return redirect("moderation:queue")
