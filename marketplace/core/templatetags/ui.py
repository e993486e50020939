"""The template vocabulary of every page: icons, money, people, states, times and form fields.

Forms are rendered in one way: `{% field form.price suffix="soʻm" %}` for each field, with
`{% form_errors form %}` above them. Both end in templates/components/field.html, and so does crispy's
`{{ form|crispy }}`, because templates/tailwind/ replaces the field and error templates of the crispy-tailwind
pack. A page that needs no layout of its own may use the latter; the look is the same.
"""

import json
import zlib
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import forms, template
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.paginator import Page
from django.core.serializers.json import DjangoJSONEncoder
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext, pgettext

from marketplace.core import countries, covers, dates
from marketplace.core import money as cash
from marketplace.core.browser_storage import key_for
from marketplace.core.live.topics import stamp_of

register = template.Library()

UNKNOWN_ICON = "circle"
HUES = 24
PLANS = {"premium": ("gem", "Premium"), "pro": ("zap", "Pro"), "vip": ("crown", "VIP")}
TONES = {
    "success": {"active", "confirmed", "completed", "released", "approved", "verified", "settled"},
    "accent": {"paid", "delivered", "handed_over", "reserved", "processing", "open", "in_review"},
    "warn": {"pending", "pending_payment", "unverified", "waiting"},
    "danger": {"disputed", "rejected", "blocked", "failed", "suspended"},
}
_TONE_OF = {state: tone for tone, states in TONES.items() for state in states}


# --- What a page follows ----------------------------------------------------------------------------


@register.simple_tag
def stream(*followed: Any) -> SafeString:
    """Attributes of <body>: the page's one event stream, and what it follows there besides the reader's own events.

    `{% stream "trade" trade.pk trade.updated_at %}`: name, key and stamp of each thing (see core.live.topics).
    """
    things = zip(followed[::3], followed[1::3], followed[2::3], strict=True)
    query = urlencode([("on", f"{name}:{key}:{stamp_of(stamp)}") for name, key, stamp in things], safe=":")
    return format_html('hx-ext="sse" sse-connect="{}"', f"/live/?{query}" if query else "/live/")


@register.simple_tag(takes_context=True)
def storage_key(context: template.Context) -> str:
    """For a data attribute that a script reads: the key of what it keeps in this browser (core.browser_storage)."""
    request = context.get("request")
    return key_for(request.session) if request is not None and hasattr(request, "session") else ""


# --- Icons ----------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _icon(name: str, classes: str) -> SafeString:
    known = name if name in covers.glyphs() else UNKNOWN_ICON
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#i-{}"></use></svg>',
        f"i {classes}".strip(),
        static("icons.svg"),
        known,
    )


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """`{% icon "wallet" "text-lg" %}`. An unknown name (say, from a game's row) is a circle."""
    return _icon(name, classes)


@register.filter
def as_json(value: Any) -> str:
    """A value for a script of ours to read from a `data-` attribute; the template escapes it."""
    return json.dumps(value, cls=DjangoJSONEncoder)


# --- Money ----------------------------------------------------------------------------------------


@register.filter
def amount(minor: int | None) -> str:
    """Minor units to "3 450 000"; nothing for None."""
    return "" if minor is None else cash.format_amount(minor)


@register.filter
def money(minor: int | None, currency: str = "UZS") -> str:
    """Minor units to "3 450 000 soʻm" with no-break spaces; nothing for None."""
    return "" if minor is None else f"{cash.format_amount(minor)}\u00a0{cash.unit(currency)}"


@register.simple_tag
def price(minor: int, currency: str = "UZS", old: int | None = None, size: str = "text-md") -> SafeString:
    """`{% price listing.price listing.currency old=listing.old_price %}`; both sums in minor units."""
    now = format_html(
        '<span class="price {}">{} <small>{}</small></span>',
        size,
        cash.format_amount(minor),
        cash.unit(currency),
    )
    if not old or old <= minor:
        return now
    return format_html(
        '{} <s class="price-old text-xs"><span class="sr-only">{} </span>{}</s>'
        ' <span class="price-off">−{}%</span>',
        now,
        pgettext("before an old price", "was"),
        cash.format_amount(old),
        round((old - minor) * 100 / old),
    )


# --- People ---------------------------------------------------------------------------------------


def initials(name: str) -> str:
    """One or two capitals for an avatar: "Oybek Gʻulomov" gives "OG"."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.simple_tag
def avatar(
    user: Any, size: str = "", *, ring: bool | None = None, presence: bool | None = None
) -> SafeString:
    """A person's picture or initials, decoration only: write the name beside it.

    `size` is xs, sm, lg, xl or 2xl. `ring` is the gold one of a paying plan (asked of the user unless given);
    `presence` draws the dot, green when True.
    """
    plan = getattr(user, "plan", "") or ""
    ring = plan not in ("", "free") if ring is None else ring
    hue = zlib.crc32(str(getattr(user, "pk", "")).encode()) % HUES
    parts = ["avatar", f"avatar-{size}" if size else "", f"hue-{hue}", "ring-premium" if ring else ""]
    photo = getattr(user, "avatar", None)
    inside = (
        format_html('<img src="{}" alt="" loading="lazy">', photo.url)
        if photo
        else initials(str(getattr(user, "display_name", "")))
    )
    dot = (
        ""
        if presence is None
        else format_html('<span class="presence{}"></span>', "" if presence else " off")
    )
    return format_html(
        '<span class="{}" aria-hidden="true">{}{}</span>',
        " ".join(part for part in parts if part),
        inside,
        dot,
    )


@register.simple_tag
def plan_badge(plan: str, *, small: bool = True) -> SafeString | str:
    """The badge of a paying plan; nothing for a free one."""
    if plan not in PLANS:
        return ""
    glyph, word = PLANS[plan]
    size = " badge-sm" if small else ""
    return format_html('<span class="badge badge-{}{}">{}{}</span>', plan, size, _icon(glyph, ""), word)


@register.simple_tag
def plan_badges(plan: str, *, small: bool = True) -> SafeString:
    """The same where people meet each other: with Pro comes VIP."""
    names = [plan, "vip"] if plan == "pro" else [plan]
    return format_html_join(" ", "{}", ((plan_badge(name, small=small),) for name in names))


@register.simple_tag
def rating(value: Any, count: int | None = None) -> SafeString | str:
    """One star, the mark and, when given, of how many reviews; nothing while there is no review."""
    if value is None or value == "":
        return ""
    tail = format_html(" <span>({})</span>", count) if count else ""
    return format_html(
        '<span class="rating">{}<span class="sr-only">{} </span>{}{}</span>',
        _icon("star", ""),
        gettext("rating"),
        number_format(value, decimal_pos=1),
        tail,
    )


@register.simple_tag
def stars(count: int) -> SafeString:
    """Five stars, `count` of them filled, with words for those who cannot see them."""
    drawn = format_html_join("", "{}", ((_icon("star", "" if i < count else "off"),) for i in range(5)))
    words = gettext("%(count)d out of 5") % {"count": count}
    return format_html('<span class="stars" role="img" aria-label="{}">{}</span>', words, drawn)


# --- States ---------------------------------------------------------------------------------------


@register.simple_tag
def status_badge(state: str, label: str = "", tone: str | None = None) -> SafeString:
    """`{% status_badge trade.status trade.get_status_display %}`: the tone follows the word unless given."""
    tone = _TONE_OF.get(str(state), "") if tone is None else tone
    return format_html('<span class="badge{}">{}</span>', f" badge-{tone}" if tone else "", label or state)


# --- Pages of a list ------------------------------------------------------------------------------


@register.filter
def elided(page: Page) -> list[int | None]:
    """The page numbers to link to, with None where some are left out."""
    shown = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [number if isinstance(number, int) else None for number in shown]


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: template.Context, page: Page) -> dict[str, Any]:
    """Links to the other pages; keeps the rest of the query string. Nothing when there is one page."""
    return {"request": context.get("request"), "page": page}


# --- Times ----------------------------------------------------------------------------------------


@register.filter
def country(code: str) -> str:
    """A country of two letters by its name."""
    return countries.name_of(code)


@register.filter
def place(address: str | None) -> str:
    """A network address with the country of its network before it, where that is known."""
    return countries.place_of(address)


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """20 Mar, 12:04 in the reader's time zone; today and yesterday by word, another year with its number."""
    if moment is None:
        return ""
    local, today = timezone.localtime(moment), timezone.localdate()
    clock = date_format(local, "H:i")
    if local.date() == today:
        text = gettext("Today, %(time)s") % {"time": clock}
    elif local.date() == today - timedelta(days=1):
        text = gettext("Yesterday, %(time)s") % {"time": clock}
    else:
        text = dates.day_and_time(local)
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), text)


@register.filter(expects_localtime=True)
def day(moment: date | None) -> str:
    """20 March 2026 in the reader's language; nothing for None."""
    return dates.day(moment) if moment else ""


@register.filter(expects_localtime=True)
def near_day(moment: date) -> str:
    """Today and yesterday by word, every other day as `day` has it."""
    ago = (timezone.localdate() - moment).days
    return {0: gettext("Today"), 1: gettext("Yesterday")}.get(ago) or dates.day(moment)


@register.filter(expects_localtime=True)
def month(moment: date | None) -> str:
    """March 2026, as it stands after "since" in the reader's language; nothing for None."""
    return dates.month(moment) if moment else ""


def time_left(seconds: float) -> str:
    """Give "2 d 5 h", "5 h 12 min" or "22 min"; what is past says so. app.js counts on in the same words."""
    minutes = int(seconds // 60)
    if seconds <= 0:
        return gettext("time is up")
    if minutes < 1:
        return gettext("under a minute")
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    day, hour, minute = pgettext("days", "d"), pgettext("hours", "h"), pgettext("minutes", "min")
    if days:
        return f"{days}\u00a0{day} {hours}\u00a0{hour}"
    return f"{hours}\u00a0{hour} {rest}\u00a0{minute}" if hours else f"{rest}\u00a0{minute}"


@register.filter
def how_long(wait: timedelta) -> str:
    """How long something took, in the words of `time_left`; a minute at least."""
    return time_left(max(60, wait.total_seconds()))


@register.simple_tag
def countdown(deadline: datetime | None) -> SafeString | str:
    """How long until `deadline`; the browser counts on once a minute. Not announced to screen readers."""
    if deadline is None:
        return ""
    left = time_left((deadline - timezone.now()).total_seconds())
    stamp = deadline.isoformat(timespec="seconds")
    return format_html('<time class="num" datetime="{}" data-deadline="{}">{}</time>', stamp, stamp, left)


# --- Favourites -----------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def heart(context: template.Context, listing_id: Any, on: object = None, label: str = "") -> SafeString:
    """The heart of a listing card. It holds no token: it submits the page-level form of a signed-in reader.

    A visitor gets a link to the log-in page instead, so the page of a visitor stays the same for everyone.
    """
    user = context.get("user")
    try:
        url = reverse("listings:favourite", args=[listing_id])
        page = reverse("storefront:listing", args=[listing_id])
    except NoReverseMatch:  # an app of its own may be rendered alone, in a test
        return SafeString("")
    return mark_safe(  # noqa: S308 - a template of ours, escaped by it  # nosec B308, B703
        render_to_string(
            "components/heart.html",
            {
                "signed_in": bool(user and user.is_authenticated),
                "url": url,
                "listing_url": page,
                "on": bool(on),
                "label": label,
                "listing_id": listing_id,
            },
        )
    )


# --- Forms ----------------------------------------------------------------------------------------


def _kind(widget: forms.Widget) -> str:
    """Which branch of components/field.html draws a widget."""
    kinds: tuple[tuple[type[forms.Widget], str], ...] = (
        (forms.CheckboxSelectMultiple, "options"),
        (forms.RadioSelect, "options"),
        (forms.CheckboxInput, "checkbox"),
        (forms.FileInput, "file"),
        (forms.PasswordInput, "password"),
    )
    return next((kind for cls, kind in kinds if isinstance(widget, cls)), "input")


@register.simple_tag
def field(
    bound: BoundField,
    *,
    label: str = "",
    hint: str = "",
    prefix: str = "",
    suffix: str = "",
    optional: bool | None = None,
    switch: bool = False,
    choice_cards: bool = False,
    **attrs: Any,
) -> SafeString:
    """One field of a form: label above, control, hint and errors below, all linked for screen readers.

    `prefix` and `suffix` are affixes ("@", "soʻm"). "optional" is shown on what is not required unless
    `optional` is given. `switch` draws a checkbox as one, `choice_cards` radios as cards. `class` goes to
    the wrapper; every other argument becomes an attribute of the control: `hx_get` as `hx-get`, and False
    leaves one out.
    """
    if bound.is_hidden:
        return SafeString(bound)  # nosec B308, B703
    wrapper = attrs.pop("class", "")
    widget = bound.field.widget
    kind = _kind(widget)
    attributes = {name.replace("_", "-"): value for name, value in attrs.items()}
    hint = hint or str(bound.help_text)
    if hint and not bound.help_text:
        ids = [f"{bound.auto_id}_helptext"] + ([f"{bound.auto_id}_error"] if bound.errors else [])
        attributes["aria-describedby"] = " ".join(ids)
    base = {"checkbox": "switch" if switch else "check", "options": "check", "file": ""}.get(kind, "input")
    attributes["class"] = f"{base} {widget.attrs.get('class', '')}".strip()
    context: dict[str, Any] = {
        "field": bound,
        "kind": kind,
        "label": label or bound.label,
        "hint": hint,
        "prefix": prefix,
        "suffix": suffix,
        "class": wrapper,
        "switch": switch,
        "choice_cards": choice_cards,
        "optional": (not bound.field.required and kind != "checkbox") if optional is None else optional,
        "multiple": getattr(widget, "allow_multiple_selected", False),
    }
    if kind == "options":
        widget.attrs = {**widget.attrs, **attributes}
        context["choices"] = list(bound)
    elif kind == "file":
        context |= _file(bound, attributes)
    else:
        if kind == "checkbox" and switch:
            attributes["role"] = "switch"
        context["control"] = bound.as_widget(attrs=attributes)
    return mark_safe(render_to_string("components/field.html", context))  # noqa: S308 - escaped by the template  # nosec B308, B703


def _file(bound: BoundField, attributes: dict[str, Any]) -> dict[str, Any]:
    """The plain input of a file field; Django's own would write a "currently" line inside our drop zone."""
    widget = bound.field.widget
    built = bound.build_widget_attrs({"id": bound.auto_id, **attributes}, widget)
    merged = widget.build_attrs(widget.attrs, built)
    merged = {name: value for name, value in merged.items() if value not in ("", False)}
    if getattr(widget, "allow_multiple_selected", False):
        merged["multiple"] = True
    control = format_html('<input type="file" name="{}"{}>', bound.html_name, flatatt(merged))
    clearable = (
        isinstance(widget, forms.ClearableFileInput) and bool(bound.initial) and not bound.field.required
    )
    return {
        "control": control,
        "current": bound.initial if getattr(bound.initial, "name", "") else None,
        "clear_name": widget.clear_checkbox_name(bound.html_name) if clearable else "",
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: forms.BaseForm) -> dict[str, Any]:
    """What is wrong with a form as a whole, or how many fields are; nothing for a form without errors."""
    wrong = len([name for name in form.errors if name != NON_FIELD_ERRORS])
    summary = ngettext("One field needs another look.", "%(count)d fields need another look.", wrong)
    return {"errors": form.non_field_errors(), "summary": summary % {"count": wrong} if wrong else ""}
