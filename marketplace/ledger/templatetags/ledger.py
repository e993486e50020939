"""How numbers of the books look."""

from django import template

register = template.Library()


@register.filter
def count(number: int) -> str:
    """12345 to "12 345", with no-break spaces as in amounts."""
    return f"{number:,}".replace(",", "\u00a0")
