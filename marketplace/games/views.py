"""The list of games, and the covers drawn for offers without pictures."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import condition, require_safe

from marketplace.core import covers
from marketplace.core.page_cache import keep
from marketplace.games import selectors

VARIANTS = 1000
_DAY = 24 * 3600


@keep(tags=lambda _request: ("games", "catalogue"))
@require_safe
def game_list(request: HttpRequest) -> HttpResponse:
    return render(request, "games/list.html", {"shelves": selectors.shelves(), "active": "games"})


def _stamp(_request: HttpRequest, slug: str, variant: int) -> str | None:
    game = selectors.by_slug(slug)
    return f'"{game.slug}-{variant}-{game.updated_at.timestamp():.0f}"' if game else None


@require_safe
@condition(etag_func=_stamp)
def cover(_request: HttpRequest, slug: str, variant: int) -> HttpResponse:
    """A drawn cover: the game's colours and glyph, one of a few compositions. The same bytes every time."""
    game = selectors.by_slug(slug)
    if game is None or variant >= VARIANTS:
        raise Http404
    svg = covers.svg(hues=game.hues, glyph=game.glyph, key=str(variant))
    headers = {"Cache-Control": f"public, max-age={_DAY}"}
    return HttpResponse(svg, content_type="image/svg+xml", headers=headers)
