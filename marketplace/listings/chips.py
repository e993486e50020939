"""The applied filters, each with the address of the same page without it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from marketplace.core.money import format_amount, unit
from marketplace.core.quotes import quoted
from marketplace.games.schema import Attribute, Kind
from marketplace.listings.forms import CatalogueForm


@dataclass(frozen=True, slots=True)
class Chip:
    text: str
    url: str


def chips(form: CatalogueForm) -> list[Chip]:
    """One chip for each filter that holds. The game is not one: it is the page's heading."""
    filters, found = form.filters, []

    def add(text: str, *names: str, value: str | None = None) -> None:
        found.append(Chip(text, _without(form.asked, *names, value=value)))

    if filters.query:
        add(quoted(filters.query), "q", "search")
    if filters.min_price is not None or filters.max_price is not None:
        add(_range(filters.min_price, filters.max_price), "min_price", "max_price")
    if filters.game:
        for item in filters.game.schema.filters:
            _add_attribute(form, item, add)
    if filters.rating is not None:
        add(_("Rating from %(mark)s") % {"mark": filters.rating}, "rating")
    if filters.seller:
        add(_("Seller: %(name)s") % {"name": filters.seller.display_name}, "seller")
    if filters.is_premium:
        add(_("Premium"), "is_premium")
    if filters.has_images:
        add(_("With pictures"), "has_images")
    return found


def _add_attribute(form: CatalogueForm, item: Attribute, add: Callable[..., None]) -> None:
    name, given = item.field_name, form.cleaned_data
    if item.kind is Kind.INTEGER:
        low, high = given.get(f"{name}_min"), given.get(f"{name}_max")
        if low is not None or high is not None:
            add(f"{item.label}: {_ends(low, high)}", f"{name}_min", f"{name}_max")
    elif item.kind is Kind.BOOLEAN:
        if given.get(name):
            add(item.label, name)
    else:
        for code in given.get(name) or ():
            option = item.option(code)
            add(option.label if option else code, name, value=code)


def _range(low: int | None, high: int | None) -> str:
    ends = _ends(None if low is None else format_amount(low), None if high is None else format_amount(high))
    return f"{ends}\u00a0{unit('UZS')}"


def _ends(low: object, high: object) -> str:
    if high is None:
        return _("from %(low)s") % {"low": low}
    return f"{low} – {high}" if low is not None else _("to %(high)s") % {"high": high}


def _without(data: QueryDict, *names: str, value: str | None = None) -> str:
    """The query string without these parameters, or without one value of theirs; always of the first page."""
    rest = QueryDict(mutable=True)
    for name, values in data.lists():
        if name == "page" or (name in names and value is None):
            continue
        rest.setlist(name, [one for one in values if one and not (name in names and one == value)])
    text = rest.urlencode()
    return f"?{text}" if text else "?"
