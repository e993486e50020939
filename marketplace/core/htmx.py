"""The page, or the one partial of it that htmx asked for. Only this module looks at HX-Target."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_page
from django.utils.cache import patch_vary_headers

type Context = dict[str, Any]


def is_from(request: HttpRequest) -> bool:
    """Whether a script of the page asks, which takes a part of it; boosted links and restored history want pages."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx and not htmx.boosted and not htmx.history_restore_request)


def asked_for(request: HttpRequest, partials: set[str]) -> str | None:
    """The partial this request wants, if it is among the allowed ones. Boosted links and restored history want pages."""
    if not is_from(request):
        return None
    target: str | None = request.htmx.target  # type: ignore[attr-defined]
    return target if target in partials else None


def render(
    request: HttpRequest,
    template: str,
    context: Context,
    *,
    partials: set[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or `template#target` when htmx targets one of `partials` (element id = partialdef = this name)."""
    target = asked_for(request, partials or set())
    response = render_page(request, f"{template}#{target}" if target else template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
