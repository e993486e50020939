"""The moderation queue."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts.selectors import person
from marketplace.accounts.staff import staff_only
from marketplace.listings import services as listings
from marketplace.listings.models import Listing
from marketplace.moderation import selectors
from marketplace.moderation.forms import ChangesForm, DecisionForm, RejectForm

SHOWN = 50


moderators_only = staff_only("listings.moderate_listing")


@require_safe
@moderators_only
def queue(request: HttpRequest) -> HttpResponse:
    return _queue(request, chosen=request.GET.get("listing", ""))


def _queue(request: HttpRequest, *, chosen: str, refused: DecisionForm | None = None) -> HttpResponse:
    """The queue beside the chosen listing, or beside the oldest one. `refused` is a decision that lacks something."""
    waiting = list(selectors.queue()[:SHOWN])
    place = next((n for n, one in enumerate(waiting) if str(one.pk) == chosen), 0)
    listing = waiting[place] if waiting else None
    count = selectors.waiting()
    context = {
        "queue": waiting,
        "listing": listing,
        "previous": waiting[place - 1] if place else None,
        "next": waiting[place + 1] if place + 1 < len(waiting) else None,
        "facts": listing.game.schema.facts(listing.attributes) if listing else [],
        "record": selectors.record_of(listing.seller) if listing else {},
        "count": count,
        "overdue": selectors.overdue(at=timezone.now()),
        "changes": refused if isinstance(refused, ChangesForm) else ChangesForm(),
        "reject": refused if isinstance(refused, RejectForm) else RejectForm(),
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
    return render(request, "moderation/queue.html", context, status=422 if refused else 200)


@require_POST
@moderators_only
def approve(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    listing = get_object_or_404(selectors.queue(), pk=listing_id)
    listings.approve(listing_id=listing.pk, moderator=person(request))
    messages.success(request, _("“%(title)s” is published.") % {"title": listing.title})
    return redirect("moderation:queue")


@require_POST
@moderators_only
def ask_for_changes(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    done = _("“%(title)s” was given back to its seller to be changed.")
    return _decide(request, listing_id, ChangesForm(request.POST), listings.ask_for_changes, done)


@require_POST
@moderators_only
def reject(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    done = _("“%(title)s” was rejected.")
    return _decide(request, listing_id, RejectForm(request.POST), listings.reject, done)


def _decide(
    request: HttpRequest,
    listing_id: uuid.UUID,
    form: DecisionForm,
    decide: Callable[..., Listing],
    done: str,
) -> HttpResponse:
    """Take a decision that needs a reason, and say it in the seller's language."""
    listing = get_object_or_404(selectors.queue(), pk=listing_id)
    if not form.is_valid():
        return _queue(request, chosen=str(listing.pk), refused=form)
    with translation.override(listing.seller.language):
        reason = form.text()
    decide(listing_id=listing.pk, moderator=person(request), reason=reason)
    messages.success(request, done % {"title": listing.title})
    return redirect("moderation:queue")
