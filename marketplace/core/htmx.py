"""The page, or the one partial of it that htmx asked for. Only this module looks at HX-Target."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_page
from django.utils.cache import patch_vary_headers

type Context = dict[str, Any]


def asked_for(request: HttpRequest, partials: set[str]) -> str | None:
    """The partial this request wants, if it is among the allowed ones. Boosted links and restored history want pages."""
    htmx = getattr(request, "htmx", None)
    if not htmx or htmx.boosted or htmx.history_restore_request:
        return None
    return htmx.target if htmx.target in partials else None


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
