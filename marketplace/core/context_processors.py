"""What every page's frame needs."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from marketplace.core.preferences import theme_of

_header_parts: dict[str, Callable[[Any], object]] = {}


def register_header_part(name: str, value: Callable[[Any], object]) -> None:
    """Let an app above put a value into the header: `value(user)` is asked once per page, and only if it is shown."""
    _header_parts[name] = value


def shell(request: HttpRequest) -> dict[str, object]:
    """`theme`, `header` (the signed-in person's counters, lazily), `request_id` and what the frame may link to."""
    context: dict[str, object] = {
        "theme": theme_of(request),
        "request_id": getattr(request, "id", ""),
        "developer_pages": settings.DEVELOPER_PAGES,
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        # Templates call what can be called, so a part that no page shows costs no query.
        context["header"] = {name: cache(partial(value, user)) for name, value in _header_parts.items()}
    return context
