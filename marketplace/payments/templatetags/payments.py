"""How a line of the money history looks."""

from datetime import date
from decimal import Decimal

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marketplace.core import dates
from marketplace.core.money import format_amount, to_decimal, unit
from marketplace.core.templatetags.ui import icon
from marketplace.payments import chart
from marketplace.payments.models import PaymentMethod, Transaction

register = template.Library()

Type, Status = Transaction.Type, Transaction.Status
_ICONS = {
    Type.DEPOSIT: "plus",
    Type.WITHDRAWAL: "arrow-up-right",
    Type.PURCHASE: "gamepad-2",
    Type.SALE: "arrow-down-left",
    Type.REFUND: "rotate-ccw",
    Type.COMMISSION: "percent",
    Type.SUBSCRIPTION: "gem",
    Type.CHARGEBACK: "undo-2",
    Type.DEBT: "scale",
}


# The tiles that scripts/pay_marks.py has drawn.
MARKS = frozenset(
    (
        "payme",
        "click",
        "paynet",
        "uzcard",
        "humo",
        "stripe",
        "kaspi",
        "freedompay",
        "cloudpayments",
        "mock",
        "sandbox",
    )
)


@register.simple_tag
def pay_mark(method: PaymentMethod) -> SafeString:
    """Our tile of a way to pay, decoration only: write the name beside it. Where none is drawn, its icon."""
    if method.code in MARKS:
        return format_html(
            '<img class="size-10 flex-none rounded-lg" src="{}" width="40" height="40" alt="">',
            static(f"img/pay/{method.code}.svg"),
        )
    return format_html(
        '<span class="grid size-10 flex-none place-items-center rounded-lg border bg-inset text-lg text-muted">{}</span>',
        icon(method.icon),
    )


@register.filter
def row_icon(row: Transaction) -> str:
    return "circle-x" if row.status == Status.FAILED else _ICONS.get(Type(row.type), "receipt")


@register.filter
def row_tile(row: Transaction) -> str:
    """Classes of the tile around the icon."""
    if row.status == Status.FAILED:
        return "bg-danger-soft text-danger-fg"
    if row.is_incoming and row.status == Status.COMPLETED:
        return "bg-success-soft text-success-fg"
    return "bg-inset text-muted"


@register.filter
def row_amount(row: Transaction) -> SafeString | str:
    """With its sign: +2 000 000, −980 000."""
    return ("+" if row.is_incoming else "\u2212") + format_amount(row.amount)


@register.filter
def row_amount_class(row: Transaction) -> str:
    if row.status in (Status.FAILED, Status.CANCELLED):
        return "text-muted line-through"
    return "text-success-fg" if row.is_incoming and row.status == Status.COMPLETED else ""


@register.filter
def row_tone(row: Transaction) -> str:
    """The badge's tone: money that waits is said in amber."""
    return {Status.COMPLETED: "success", Status.FAILED: "danger", Status.CANCELLED: ""}.get(
        Status(row.status), "warn"
    )


@register.filter
def major(minor: int) -> str:
    """Whole units as a person would type them into a form: 15000000 -> "150000"."""
    return str(to_decimal(minor)).removesuffix(".00")


@register.filter
def short_amount(minor: int) -> str:
    """An amount where there is little room: "1.5 M", "20 k"; it may break between the two."""
    return chart.short(minor).replace("\u00a0", " ")


@register.filter
def percent(basis_points: int) -> str:
    """750 as "7.5%"."""
    return f"{number_format(Decimal(basis_points) / 100, use_l10n=True)}%"


@register.filter
def currency_unit(code: str) -> str:
    """The word or sign of a currency: soʻm, ₸, $."""
    return unit(code)


@register.simple_tag
def currency_unit_of(code: str) -> str:
    """The same as a tag, for where its answer is kept."""
    return unit(code)


@register.filter
def month_name(first: date) -> str:
    """November 2026 in the reader's language, standing alone."""
    return dates.month_name(first)


@register.filter
def short_day(day: date) -> str:
    """20 Mar."""
    return dates.short_day(day)
