"""The catalogue, and a seller's own pages."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts.models import User
from marketplace.accounts.selectors import person
from marketplace.core import frame, htmx
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.money import share
from marketplace.core.page_cache import keep
from marketplace.core.ways_back import own_path
from marketplace.games import selectors as games
from marketplace.games.models import Game
from marketplace.listings import cards, fees, fragments, selectors, services
from marketplace.listings import preview as previews
from marketplace.listings.forms import ListingForm
from marketplace.listings.models import Listing
from marketplace.listings.tiles import tiles

Status = Listing.Status
PAGE_SIZE = 20
HINTED_GAMES = 12

TABS = {
    "all": (gettext_lazy("All"), ()),
    "active": (gettext_lazy("On sale"), (Status.ACTIVE, Status.RESERVED)),
    "pending": (gettext_lazy("In review"), (Status.PENDING,)),
    "draft": (gettext_lazy("Drafts"), (Status.DRAFT,)),
    "rejected": (gettext_lazy("Rejected"), (Status.REJECTED, Status.BLOCKED)),
    "sold": (gettext_lazy("Sold"), (Status.SOLD,)),
    "archived": (gettext_lazy("Withdrawn"), (Status.ARCHIVED,)),
}


# --- The catalogue -------------------------------------------------------------------------------


@keep(tags=lambda _request: fragments.TAGS)
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """What is on sale. The body is shared by all who ask the same; only hearts and the frame are a reader's own."""
    part = htmx.asked_for(request, {"results", "more"})
    fragment = fragments.catalogue(request, part=part or "main")
    if part:
        response = HttpResponse(fragment.html(request))
    else:
        game = games.by_slug(request.GET.get("game", ""))
        context = {"game_name": game.name if game else "", "active": "accounts"}
        response = frame.around(request, "listings/catalogue.html", context, body=fragment.html(request))
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@keep(tags=lambda _request, listing_id: (f"listing:{listing_id}",))
@require_safe
def card(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    """One card as it is now, for a list that shows it as it was. Nothing for what is not for everybody's eyes any more."""
    found = selectors.public_tiles([listing_id])
    user, ids = request.user, [tile.pk for tile in found]
    marked = selectors.favourite_ids(user, ids) if user.is_authenticated else None
    return HttpResponse(cards.joined(cards.render(found), ids, marked=marked))


# --- Favourites ----------------------------------------------------------------------------------


@require_safe
@login_required
def favourites(request: HttpRequest) -> HttpResponse:
    marked = Paginator(selectors.favourites(person(request)), selectors.PAGE_SIZE)
    page = marked.get_page(request.GET.get("page"))
    context = {"page": page, "tiles": tiles(cast("QuerySet[Listing]", page.object_list)), "active": "me"}
    return render(request, "listings/favourites.html", context)


@require_POST
@login_required
def favourite(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    """Mark an offer, or take the mark away."""
    listing = selectors.listing_for_page(listing_id)
    if listing is None:
        raise Http404
    is_on = services.toggle_favourite(user=person(request), listing_id=listing_id)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"listing": listing, "is_on": is_on}
        return HttpResponse(render_to_string("listings/_heart.html", context, request=request))
    return redirect(own_path(request, request.POST.get("next")) or listing.get_absolute_url())


# --- Selling -------------------------------------------------------------------------------------


@sensitive_post_parameters("account_email", "account_password", "note")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sell(request: HttpRequest) -> HttpResponse:
    """Write an offer: first the game, then everything about the account."""
    game = _game_of(request)
    if game is None:
        status = 422 if request.method == "POST" else 200
        context = {"shelves": games.shelves(), "popular": games.popular(most=HINTED_GAMES), "active": "sell"}
        return render(request, "listings/choose_game.html", context, status=status)
    is_draft = "draft" in request.POST
    form = ListingForm(**posted(request), game=game, is_draft=is_draft)
    if request.method == "POST" and form.is_valid():
        save = services.save_draft if is_draft else services.submit
        try:
            save(
                seller=person(request),
                content=form.content,
                secrets=form.secrets,
                pictures=form.cleaned_data["pictures"],
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(
                request, _("The draft is saved.") if is_draft else _("Your offer is sent to review.")
            )
            return redirect("listings:mine")
    return _sell_page(request, form)


@sensitive_post_parameters("account_email", "account_password", "note")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    """Change an own offer. A form that was filled from an older version is refused, so that nothing gets lost."""
    me = person(request)
    listing = get_object_or_404(selectors.own(me).prefetch_related("images"), pk=listing_id)
    if not listing.is_editable:
        messages.error(request, _("This offer cannot be changed now."))
        return redirect("listings:mine")
    keeps_draft = "draft" in request.POST
    form = ListingForm(
        **posted(request),
        game=_game_of(request) or listing.game,
        listing=listing,
        has_vault=selectors.has_vault(listing),
        is_draft=keeps_draft,
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.edit(
                listing_id=listing.pk,
                seller=me,
                version=given["version"],
                content=form.content,
                secrets=form.secrets,
                pictures=given["pictures"],
                removed=given["removed"],
                first=given["first"],
                send=not keeps_draft,
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("Your changes are saved."))
            return redirect("listings:mine")
    return _sell_page(request, form, listing)


def _sell_page(request: HttpRequest, form: ListingForm, listing: Listing | None = None) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    context = {
        "form": form,
        "game": form.game,
        "games": games.directory(),
        "listing": listing,
        "payout": _payout(form, person(request)),
        "preview": previews.of(form, seller=person(request)),
        "active": "sell",
    }
    response = htmx.render(request, "listings/sell.html", context, partials={"facts"}, status=status)
    if htmx.asked_for(request, {"facts"}):
        response["HX-Trigger-After-Swap"] = "facts-changed"  # the preview shows facts too
    return response


def _game_of(request: HttpRequest) -> Game | None:
    return games.by_slug(request.POST.get("game") or request.GET.get("game", ""))


def _payout(form: ListingForm, seller: User) -> dict[str, Any]:
    """What the seller gets of the price that stands in the form, by the fee of their plan; amounts in minor units."""
    price = (
        form.cleaned_data.get("price")
        if form.is_bound and hasattr(form, "cleaned_data")
        else form.initial.get("price")
    )
    rate = fees.rate(seller)
    fee = share(price, rate) if price else None
    return {
        "percent": f"{rate / 100:g}",
        "fee": fee,
        "receives": price - fee if price and fee is not None else None,
    }


@sensitive_post_parameters("account_email", "account_password", "note")
@require_POST
@login_required
def check(request: HttpRequest, field: str) -> HttpResponse:
    """Say what is wrong with one field while the others are still empty; saves nothing.

    For the price, what the seller receives comes along out of band.
    """
    game = _game_of(request)
    if game is None:
        raise Http404
    form = ListingForm(request.POST, game=game, has_vault="version" in request.POST)
    if field not in form.fields or field in {"pictures", "removed", "first", "version"}:
        raise Http404
    form.is_valid()
    context = {"field": form[field], "payout": _payout(form, person(request)) if field == "price" else None}
    return render(request, "listings/check.html", context)


@sensitive_post_parameters("account_email", "account_password", "note")
@require_POST
@login_required
def preview(request: HttpRequest, listing_id: uuid.UUID | None = None) -> HttpResponse:
    """The card as it would be, and what is still missing, of a form that is being written; saves nothing."""
    me, game = person(request), _game_of(request)
    if game is None:
        raise Http404
    listing = (
        get_object_or_404(selectors.own(me).prefetch_related("images"), pk=listing_id) if listing_id else None
    )
    form = ListingForm(request.POST, game=game, listing=listing, has_vault=True, is_draft=True)
    form.is_valid()
    chosen = request.POST.get("picture_count", "")
    new_pictures = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 3 else 0
    context = {"preview": previews.of(form, seller=me, new_pictures=new_pictures)}
    return render(request, "listings/_preview.html", context)


# --- One's own offers ----------------------------------------------------------------------------


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    tab = request.GET.get("tab", "all")
    tab = tab if tab in TABS else "all"
    counts = selectors.own_counts(person(request))
    tabs = [
        (code, label, sum(counts.get(status, 0) for status in (statuses or counts)))
        for code, (label, statuses) in TABS.items()
    ]
    rows = selectors.own(person(request), statuses=TABS[tab][1])
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "tabs": tabs, "tab": tab, "active": "me"}
    return htmx.render(request, "listings/mine.html", context, partials={"own-listings"})


@require_POST
@login_required
def withdraw(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    services.withdraw(listing_id=_own_id(request, listing_id), seller=person(request))
    messages.success(request, _("Your offer is off sale."))
    return redirect("listings:mine")


@require_POST
@login_required
def relist(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    listing = services.relist(listing_id=_own_id(request, listing_id), seller=person(request))
    on_sale = listing.status == Status.ACTIVE
    messages.success(
        request, _("Your offer is on sale again.") if on_sale else _("Your offer is sent to review.")
    )
    return redirect("listings:mine")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    listing = get_object_or_404(selectors.own(person(request)), pk=listing_id)
    if request.method == "POST":
        services.delete(listing_id=listing.pk, seller=person(request))
        messages.success(request, _("Your offer is deleted."))
        return redirect("listings:mine")
    return render(request, "listings/delete.html", {"listing": listing, "active": "me"})


def _own_id(request: HttpRequest, listing_id: uuid.UUID) -> uuid.UUID:
    """The id, if it is of this person's listing; somebody else's is not found."""
    return get_object_or_404(selectors.own(person(request)), pk=listing_id).pk
