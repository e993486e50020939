"""A small area chart as SVG, drawn on the server: no script, no style attribute."""

from collections.abc import Sequence

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from marketplace.core import dates
from marketplace.core.money import MINOR_PER_MAJOR, format_amount
from marketplace.payments.selectors import BalancePoint

HEIGHT = 190
WIDE, NARROW = 560, 330  # a phone gets a picture of its own: a shrunk one has unreadable words
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 10, 24
STEPS = 3


def balance(points: Sequence[BalancePoint], *, title: str, width: int = WIDE) -> SafeString:
    """The balance over days; `title` says in words what the picture shows."""
    top = _round_up(max((point.balance for point in points), default=0))
    x_of = [LEFT + number * (width - LEFT - RIGHT) / max(1, len(points) - 1) for number in range(len(points))]
    y_of = [_y(point.balance, top) for point in points]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(x_of, y_of, strict=True))
    floor = _y(0, top)
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<defs><linearGradient id="balance-{}" x1="0" y1="0" x2="0" y2="1">'
        '<stop stop-color="var(--chart-1)" stop-opacity=".26"/>'
        '<stop offset="1" stop-color="var(--chart-1)" stop-opacity="0"/>'
        '</linearGradient></defs>{}{}<path d="{}L{} {}L{} {}Z" fill="url(#balance-{})"/>'
        '<path d="{}" fill="none" stroke="var(--chart-1)" stroke-width="2.25" stroke-linejoin="round"/>'
        '<circle cx="{}" cy="{}" r="4.5" fill="var(--chart-1)" stroke="var(--surface)" stroke-width="2.5"/></svg>',
        width, HEIGHT, title, width, _grid(top, width), _days(points, x_of),
        line, f"{x_of[-1]:.1f}", f"{floor:.1f}", f"{x_of[0]:.1f}", f"{floor:.1f}", width,
        line, f"{x_of[-1]:.1f}", f"{y_of[-1]:.1f}",
    )  # fmt: skip


def _y(value: int, top: int) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _round_up(value: int) -> int:
    """A round number of major units not below the value, which the steps divide evenly."""
    unit = STEPS * 10 * MINOR_PER_MAJOR
    while unit * 10 < value:
        unit *= 10
    return max(unit, -(-value // unit) * unit)


def _grid(top: int, width: int) -> SafeString:
    rows = ((_y(top * step // STEPS, top), short(top * step // STEPS)) for step in range(STEPS + 1))
    return format_html_join(
        "",
        '<path d="M{} {}H{}" stroke="var(--chart-grid)" stroke-dasharray="2 4"/>'
        '<text x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, f"{y:.1f}", width - RIGHT, LEFT - 8, f"{y + 4:.1f}", text) for y, text in rows),
    )


def short(minor: int) -> str:
    """1 500 000 as "1.5 M", 20 000 as "20 k": an axis and a day of a calendar have little room."""
    major = minor / MINOR_PER_MAJOR
    signs = (
        (1_000_000_000, pgettext("short for billion", "B")),
        (1_000_000, pgettext("short for million", "M")),
        (1_000, pgettext("short for thousand", "k")),
    )
    for size, sign in signs:
        if major >= size:
            return f"{number_format(f'{major / size:.3g}')}\u00a0{sign}"
    return format_amount(minor)


def _days(points: Sequence[BalancePoint], x_of: Sequence[float]) -> SafeString:
    last = len(points) - 1
    shown = sorted({0, last // 3, last * 2 // 3, last})
    anchors = {0: "start", last: "end"}
    return format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (f"{x_of[n]:.1f}", HEIGHT - 4, anchors.get(n, "middle"), dates.short_day(points[n].day))
            for n in shown
        ),
    )
