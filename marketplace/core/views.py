"""Health, preferences and the plain pages."""

from datetime import UTC, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    HttpResponseServerError,
    JsonResponse,
)
from django.shortcuts import render
from django.template.loader import TemplateDoesNotExist, get_template
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.static import serve as serve_file
from prometheus_client import CONTENT_TYPE_LATEST

from marketplace.core import health as health_details
from marketplace.core import metrics as numbers
from marketplace.core.page_cache import keep
from marketplace.core.preferences import THEMES
from marketplace.core.ways_back import own_path

PAGES = ("how-it-works", "fees", "terms", "privacy", "contacts")
YEAR = 365 * 24 * 3600
# deploy/nginx.conf has the same list.
MEDIA_TYPES = {".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
PLAIN = "text/plain; charset=utf-8"
SECURITY_TXT_AGE = timedelta(days=180)  # RFC 9116 advises less than a year


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """200 once the database and the cache answer; 503 with the name of what does not.

    What the apps say of themselves stands beside it. It takes no server out of service: books that are not in order are
    for people to look at, and every server would say the same.
    """
    parts = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        parts["database"] = "ok"
    except DatabaseError:
        parts["database"] = "down"
    try:
        cache.set("health", "ok", 5)
        parts["cache"] = "ok" if cache.get("health") == "ok" else "down"
    except Exception:  # noqa: BLE001 (each cache backend has errors of its own)
        parts["cache"] = "down"
    healthy = all(state == "ok" for state in parts.values())
    if parts["database"] == "ok":
        parts |= health_details.details()
    return JsonResponse({"status": "ok" if healthy else "down", **parts}, status=200 if healthy else 503)


@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked. Also the bare page that `make bench` measures the others against."""
    return HttpResponse("ok", content_type=PLAIN)


@require_safe
def security_txt(_request: HttpRequest) -> HttpResponse:
    """Whom to tell of a weakness (RFC 9116). Computed, since a file with a date in it would run out unnoticed."""
    expires = (
        timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + SECURITY_TXT_AGE
    )
    lines = (
        f"Contact: mailto:{settings.SECURITY_EMAIL}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: uz, ru, en",
        f"Canonical: {settings.SITE_URL}{reverse('core:security-txt')}",
    )
    return HttpResponse("\n".join(lines) + "\n", content_type=PLAIN)


def no_stream(_request: HttpRequest) -> HttpResponse:
    """/live/ where it cannot be served (a WSGI worker has few threads): nothing, at once. Under ASGI `core.live` answers."""
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """What people have sent and we have encoded anew. In production nginx serves it (deploy/nginx.conf), by the same rules.

    Only kinds of our own are called by their name; anything else that got there is a download of nothing in particular.
    """
    kind = MEDIA_TYPES.get(Path(path).suffix.lower())
    response = serve_file(request, path, document_root=str(settings.MEDIA_ROOT))
    response["Content-Type"] = kind or "application/octet-stream"
    response["Content-Disposition"] = "inline" if kind else "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers for Prometheus; for anybody else there is no such page."""
    if not numbers.may_read(request):
        raise Http404
    return HttpResponse(numbers.text(), content_type=CONTENT_TYPE_LATEST)


@csrf_exempt  # kept pages hold no token; the worst a foreign site could do is change a theme, and Origin forbids even that
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Remember theme and language in cookies, and the language of a signed-in person in their row."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "same-site", "none"}:
        raise Http404
    back = request.POST.get("next") or urlsplit(request.headers.get("Referer", "")).path
    response = HttpResponseRedirect(own_path(request, back) or reverse("storefront:home"))
    theme, language = request.POST.get("theme"), request.POST.get("lang")
    if theme in THEMES:
        response.set_cookie(
            settings.THEME_COOKIE_NAME, theme, max_age=YEAR, samesite="Lax", secure=request.is_secure()
        )
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, samesite="Lax", secure=request.is_secure()
        )
        if request.user.is_authenticated:
            request.user.choose_language(language)
    return response


@keep(tags=lambda _request, slug: (f"page:{slug}",))
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One of the plain pages: fees, terms and the like."""
    if slug not in PAGES:
        raise Http404
    try:
        get_template(f"pages/{slug}.html")
    except TemplateDoesNotExist as error:
        raise Http404 from error
    return render(request, f"pages/{slug}.html", {"slug": slug, "support_email": settings.SUPPORT_EMAIL})


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug. The page asks nothing of what may be broken, and shows the code under which the log has it."""
    context = {"request_id": getattr(request, "id", "")}
    return HttpResponseServerError(get_template("500.html").render(context))
