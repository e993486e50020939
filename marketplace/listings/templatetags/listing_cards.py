"""`{% load listing_cards %}{% listing_cards listings %}`: cards out of the cache, hearts for the reader."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString

from marketplace.listings import cards, selectors
from marketplace.listings.models import Listing

register = template.Library()


@register.simple_tag(takes_context=True)
def listing_cards(context: template.Context, listings: Iterable[Listing]) -> SafeString:
    """The cards of these listings, one after the other (put them into a grid). Games and sellers must be loaded.

    For a signed-in reader one query finds the hearts; for a visitor none runs.
    """
    rows = list(listings)
    user = context.get("user")
    ids = [listing.pk for listing in rows]
    marked = selectors.favourite_ids(user, ids) if user and user.is_authenticated else None
    return cards.joined(cards.render(rows), ids, marked=marked)
