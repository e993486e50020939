"""What every page's frame needs."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from marketplace.core.cache import person, remembered
from marketplace.core.preferences import theme_of

_header_parts: dict[str, Callable[[Any], object]] = {}


def register_header_part(name: str, value: Callable[[Any], object]) -> None:
    """Let an app above put a value into the header: `value(user)`, a number or a short text.

    All values are read together and remembered until that person's tag is bumped (`core.cache.person`), so whoever
    changes one bumps it.
    """
    _header_parts[name] = value


def header_of(user: Any) -> Mapping[str, object]:
    """All header values of a signed-in person."""
    return remembered(
        f"header:{user.pk}",
        person(user.pk),
        compute=lambda: {name: value(user) for name, value in _header_parts.items()},
    )


def shell(request: HttpRequest) -> dict[str, object]:
    """`theme`, `header` (the signed-in person's counters, lazily), `request_id` and what the frame may link to."""
    context: dict[str, object] = {
        "theme": theme_of(request),
        "request_id": getattr(request, "id", ""),
        "developer_pages": settings.DEVELOPER_PAGES,
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        # Templates call what can be called, so a page that shows none of it asks for none of it.
        values = cache(partial(header_of, user))
        context["header"] = {name: cache(partial(_value, values, name)) for name in _header_parts}
    return context


def _value(values: Callable[[], Mapping[str, object]], name: str) -> object:
    return values()[name]
