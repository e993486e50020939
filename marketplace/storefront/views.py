"""The window: home, an offer, a seller."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from marketplace.accounts.selectors import public_person
from marketplace.core import htmx
from marketplace.core.page_cache import keep
from marketplace.games import selectors as games
from marketplace.listings import visits
from marketplace.listings.selectors import MAX_PAGE
from marketplace.storefront import selectors

# Whatever changes an offer makes the catalogue stale too, and these pages show other people's offers as well.
_TAGS = ("catalogue", "games")


def _tags(_request: HttpRequest, **_where: object) -> tuple[str, ...]:
    return _TAGS


@keep(tags=_tags)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    context = {"home": selectors.home(request.user), "rules": selectors.rules(), "active": "home"}
    return render(request, "storefront/home.html", context)


def _listing_tags(_request: HttpRequest, listing_id: uuid.UUID) -> tuple[str, ...]:
    """An offer's page shows its seller, and others of its game; a sale elsewhere in the catalogue leaves it as it is."""
    return (f"listing:{listing_id}", "games", *selectors.neighbourhood(listing_id))


@keep(tags=_listing_tags, visited=visits.count)
@require_safe
def listing(request: HttpRequest, listing_id: uuid.UUID) -> HttpResponse:
    """An offer: for everybody from approval on, before that for its seller and for moderators."""
    offer = selectors.offer(listing_id, viewer=request.user, photo=_number(request, "photo", most=100))
    if offer is None:
        raise Http404
    visits.count(request, listing_id)
    context = {
        "offer": offer,
        "listing": offer.listing,
        "seller": offer.listing.seller,
        "rules": selectors.rules(),
        "active": "accounts",
    }
    return htmx.render(request, "storefront/listing.html", context, partials={"gallery"})


@keep(tags=_tags)
@require_safe
def seller(request: HttpRequest, handle: str) -> HttpResponse:
    """A person as others see them. Every name they can be called by leads to the one address."""
    person = public_person(handle)
    if person is None:
        raise Http404
    if handle != person.public_handle:
        return redirect("storefront:seller", person.public_handle)
    page = _number(request, "page", most=MAX_PAGE)
    game = games.by_slug(request.GET.get("game", ""))
    context = {
        "person": person,
        "record": selectors.record(person),
        "counter": selectors.counter(person, viewer=request.user, game=game, page=page),
    }
    return htmx.render(request, "storefront/seller.html", context, partials={"more"})


def _number(request: HttpRequest, name: str, *, most: int) -> int:
    """A number of the query string, from 1 to `most`; 1 for anything else."""
    text = request.GET.get(name, "")
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 6 else 1
