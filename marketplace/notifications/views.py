"""The inbox of notifications, what a person wants to be told, Telegram, and the developer's pages of mails."""

import json
import uuid
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    UnreadablePostError,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from marketplace.accounts.selectors import person
from marketplace.core import htmx
from marketplace.core.forms import posted
from marketplace.notifications import mail, samples, selectors, services, telegram
from marketplace.notifications.forms import GroupForm, PreferencesForm
from marketplace.notifications.groups import GROUPS, is_urgent
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Channel, Notification, TelegramLink

PAGE = 20
PANEL = 6
UPDATE_MAX_BYTES = 64 * 1024
# A mail has its styles on its elements, which our own pages must not.
_MAIL_CSP = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'self'"],
}


# --- The inbox --------------------------------------------------------------------------------------


@require_safe
@login_required
def notification_list(request: HttpRequest) -> HttpResponse:
    user = person(request)
    group, only_unread = request.GET.get("group", ""), request.GET.get("show") == "unread"
    group = group if group in GROUPS else ""
    found = selectors.notifications_of(user)
    if group:
        found = selectors.in_group(found, group)
    page = Paginator(found.filter(is_read=False) if only_unread else found, PAGE).get_page(
        request.GET.get("page")
    )
    for notification in page:
        _dress(notification)
    unread = selectors.unread_by_group(user)
    context = {
        "page": page,
        "only_unread": only_unread,
        "group": group,
        "groups": [(one, unread.get(one.code, 0)) for one in selectors.groups_for(user)],
        "unread": sum(unread.values()),
    }
    return htmx.render(request, "notifications/list.html", context, partials={"notifications"})


def _dress(notification: Notification) -> None:
    """Its day on the reader's clock, its tone, and the words of its one button where it is worth one."""
    notification.day = timezone.localtime(notification.created_at).date()  # type: ignore[attr-defined]
    kind = notification.data.get("kind", "")
    words = KINDS.get(kind)
    notification.tone = words.tone if words else "info"  # type: ignore[attr-defined]
    has_button = words is not None and notification.action_url and not notification.is_read
    is_pressing = is_urgent(kind) or kind.startswith("message")
    notification.action = words.action if words and has_button and is_pressing else ""  # type: ignore[attr-defined]


@require_POST
@login_required
def notification_open(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Mark as read and go to what it is about."""
    notification = get_object_or_404(selectors.notifications_of(request.user), pk=notification_id)
    services.mark_read(user=person(request), notification_id=notification.pk)
    return redirect(notification.action_url or "notifications:list")


@require_safe
@login_required
@never_cache
def panel(request: HttpRequest) -> HttpResponse:
    """What the bell opens on wide screens: the latest few."""
    latest = list(selectors.notifications_of(request.user)[:PANEL])
    context = {"notifications": latest, "unread": selectors.unread_count(request.user)}
    return render(request, "notifications/_panel.html", context)


@require_POST
@login_required
def notification_read(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Mark as read and stay; htmx gets the row as it is now, and the counter."""
    user = person(request)
    notification = get_object_or_404(selectors.notifications_of(user), pk=notification_id)
    services.mark_read(user=user, notification_id=notification.pk)
    if not getattr(request, "htmx", False):
        return redirect("notifications:list")
    notification.refresh_from_db(fields=["is_read"])
    _dress(notification)
    context = {"notification": notification, "unread": selectors.unread_count(user)}
    response = render(request, "notifications/_read.html", context)
    return trigger_client_event(response, "notificationsRead")


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_all_read(user=person(request))
    return redirect("notifications:list")


# --- What one is told, and where --------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    user = person(request)
    setting = selectors.setting_of(user)
    link = selectors.telegram_of(user)
    channels = _channels(link)
    form = PreferencesForm(user=user, setting=setting, channels=channels, data=posted(request).get("data"))
    if request.method == "POST" and form.is_valid():
        times = {
            name: form.cleaned_data[name] for name in ("phrase", "quiet_from", "quiet_until", "digest_hour")
        }
        services.save(user=user, at=timezone.now(), groups=form.switched(), **times)
        messages.success(request, _("Your choice is saved."))
        return redirect("notifications:preferences")
    context = {
        "form": form,
        "rows": form.rows(),
        "channels": [Channel(channel).label for channel in channels],
        "link": link,
        "has_telegram": telegram.is_on(),
        "bounced": setting.bounced_address if setting.bounced_address == user.email else "",
    }
    return render(request, "notifications/preferences.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@login_required
def group_preferences(request: HttpRequest, group: str) -> HttpResponse:
    """The kinds of one group, each by itself."""
    user = person(request)
    found = next((one for one in selectors.groups_for(user) if one.code == group), None)
    if found is None:
        raise Http404
    channels = _channels(selectors.telegram_of(user))
    form = GroupForm(user=user, group=group, channels=channels, data=posted(request).get("data"))
    if request.method == "POST" and form.is_valid():
        services.choose(user=user, choices=form.switched())
        messages.success(request, _("Your choice is saved."))
        return redirect("notifications:preferences")
    context = {
        "group": found,
        "rows": form.rows(),
        "channels": [Channel(channel).label for channel in channels],
        "can_be_moved": bool(form.fields),
    }
    return render(request, "notifications/group_preferences.html", context)


def _channels(link: TelegramLink | None) -> list[str]:
    return [Channel.APP, Channel.EMAIL, *([Channel.TELEGRAM] if link else [])]


@require_POST
@login_required
def try_address_again(request: HttpRequest) -> HttpResponse:
    """The person says that their mailbox takes mail again."""
    services.forget_bounce(user_id=person(request).pk)
    messages.success(request, _("We write to this address again."))
    return redirect("notifications:preferences")


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop mails of one group, without signing in. What the mail carries is the credential, so a POST needs no other.

    Looking changes nothing: mail programs fetch links by themselves. A mail program's own button posts at once (RFC 8058).
    """
    found = selectors.read_token(token)
    if found is None:
        raise Http404
    user, group = found
    is_done = request.method == "POST"
    if is_done:
        services.unsubscribe(user=user, group=group)
    about = GROUPS.get(group)
    return render(
        request, "notifications/unsubscribe.html", {"group": about, "is_done": is_done, "token": token}
    )


# --- Telegram ---------------------------------------------------------------------------------------


def _needs_bot() -> None:
    if not telegram.is_on():
        raise Http404


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def telegram_page(request: HttpRequest) -> HttpResponse:
    """Connect a chat with our bot: a POST makes a code, which stands in this one answer only."""
    _needs_bot()
    user = person(request)
    link = selectors.telegram_of(user)
    context: dict[str, Any] = {"link": link, "bot": settings.TELEGRAM_BOT_NAME}
    if request.GET.get("waiting") and link is None and selectors.waits_for_telegram(user, at=timezone.now()):
        return HttpResponse(status=204)  # the page asks again, and keeps the code it shows
    if request.method == "POST":
        code = services.make_code(user=user, at=timezone.now())
        context |= {"code": code, "url": f"https://t.me/{settings.TELEGRAM_BOT_NAME}?start={code}"}
    return htmx.render(request, "notifications/telegram.html", context, partials={"telegram-state"})


@require_POST
@login_required
def telegram_unlink(request: HttpRequest) -> HttpResponse:
    _needs_bot()
    if services.unlink(user=person(request)):
        messages.success(request, _("Telegram is disconnected."))
    return redirect("notifications:telegram")


@csrf_exempt
@require_POST
def telegram_webhook(request: HttpRequest) -> HttpResponse:
    """Telegram brings an update. Its secret header is the only credential; it repeats until it gets a 200."""
    if not (telegram.is_on() and settings.TELEGRAM_WEBHOOK_SECRET):
        raise Http404
    given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not compare_digest(given.encode(), settings.TELEGRAM_WEBHOOK_SECRET.encode()):
        return HttpResponseForbidden(content_type="text/plain; charset=utf-8")
    try:
        update = json.loads(_bounded(request))
    except (ValueError, RecursionError, RequestDataTooBig, UnreadablePostError):
        return HttpResponseBadRequest(content_type="text/plain; charset=utf-8")
    services.receive(update, at=timezone.now())
    return HttpResponse(content_type="text/plain; charset=utf-8")


def _bounded(request: HttpRequest) -> bytes:
    """The raw body. Raises ValueError for one that is longer than any update."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length[:12]) > UPDATE_MAX_BYTES:
        raise ValueError(length)
    if len(request.body) > UPDATE_MAX_BYTES:
        raise ValueError(str(len(request.body)))
    return request.body


# --- For developers ---------------------------------------------------------------------------------


@require_safe
def developer_mails(request: HttpRequest) -> HttpResponse:
    """Mails that were "sent" on this machine. Served outside production only."""
    return render(request, "notifications/developer_mails.html", {"mails": list(mail.kept_mails())})


@require_safe
def developer_mail(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "notifications/developer_mail.html", {"mail": _kept(name)})


@require_safe
@xframe_options_sameorigin
@csp_override(_MAIL_CSP)
def developer_mail_html(_request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(_kept(name)["html"])


def _kept(name: str) -> dict[str, str]:
    file = mail.MAIL_DIR / f"{name}.eml"
    if not name.isdigit() or not file.exists():
        raise Http404
    return mail.read_mail(file)


@require_safe
def developer_templates(request: HttpRequest, name: str = "welcome", language: str = "") -> HttpResponse:
    """Every mail there is, with samples for its words, in each language, on a phone and on a desktop."""
    language = language or translation.get_language() or settings.LANGUAGE_CODE
    letter = _sample(name, language)
    context = {
        "names": sorted(samples.SAMPLES),
        "name": name,
        "language": language,
        "languages": settings.LANGUAGES,
        "letter": letter,
    }
    return render(request, "notifications/developer_templates.html", context)


@require_safe
@xframe_options_sameorigin
@csp_override(_MAIL_CSP)
def developer_template_html(_request: HttpRequest, name: str, language: str) -> HttpResponse:
    return HttpResponse(_sample(name, language).html)


def _sample(name: str, language: str) -> mail.Letter:
    if name not in samples.SAMPLES or language not in dict(settings.LANGUAGES):
        raise Http404
    return samples.letter(name, language)
