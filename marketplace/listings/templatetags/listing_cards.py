"""`{% load listing_cards %}`: `{% listing_cards tiles %}` with the reader's hearts, `{% listing_card tile %}` without."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString, mark_safe

from marketplace.listings import cards, selectors
from marketplace.listings.tiles import Tile

register = template.Library()


@register.simple_tag(takes_context=True)
def listing_cards(context: template.Context, tiles: Iterable[Tile]) -> SafeString:
    """The cards of these offers, one after the other (put them into a grid).

    For a signed-in reader one query finds the hearts; for a visitor none runs.
    """
    rows = list(tiles)
    user = context.get("user")
    ids = [tile.pk for tile in rows]
    marked = selectors.favourite_ids(user, ids) if user and user.is_authenticated else None
    return cards.joined(cards.render(rows), ids, marked=marked)


@register.simple_tag
def listing_card(tile: Tile) -> SafeString:
    """One card to look at, without a heart."""
    (card,) = cards.render([tile])
    return mark_safe(card.html(""))  # noqa: S308 - rendered by a template  # nosec B308, B703
