"""Messages in templates. They come as `shown.as_data` gives them, so what is live and what is read look the same."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from marketplace.core import dates
from marketplace.core.templatetags.ui import icon
from marketplace.messaging.cards import card_of, words

register = template.Library()


@register.filter
def moment(iso: str | None) -> datetime | None:
    """A time as it is told, on the reader's clock."""
    return timezone.localtime(datetime.fromisoformat(iso)) if iso else None


@register.filter
def day_label(at: datetime) -> str:
    """Today and yesterday by word, other days by date."""
    day, today = at.date(), timezone.localdate()
    if day == today:
        return _("Today")
    if (today - day).days == 1:
        return _("Yesterday")
    return dates.day(day)


@register.filter
def card_icon(data: dict[str, Any]) -> SafeString:
    card = card_of(data)
    return icon(card.icon, "" if card.tone == "muted" else f"text-{card.tone}-fg")


@register.filter
def lines(text: str) -> SafeString:
    """What somebody wrote: escaped, its line breaks kept by the style. No link is made of anything."""
    return format_html('<span class="whitespace-pre-line break-words">{}</span>', text)


@register.filter
def short_when(at: datetime | None) -> str:
    """The hour today, the date before that: for lists."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if _is_today(local.date()) else dates.short_day(local)


def _is_today(day: date) -> bool:
    return day == timezone.localdate()


@register.filter
def kilobytes(size: int) -> str:
    """A file's size as people read it."""
    if size >= 1024 * 1024:
        return _("%(size)s MB") % {"size": f"{size / 1024 / 1024:.1f}"}
    return _("%(size)d KB") % {"size": max(1, size // 1024)}


@register.filter
def card_words(data: dict[str, Any]) -> str:
    """What a step of a trade says, in the reader's language."""
    return words(data)
