"""Generated covers: an SVG picture for a listing without a photo, drawn from its game's colours and glyph.

Five abstract compositions; the listing's id picks one, so that neighbours in a grid differ. Nothing here
imitates a screenshot: a buyer must never take a drawing for proof.
"""

import colorsys
import math
import re
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from django.conf import settings

WIDTH, HEIGHT = 640, 400
COMPOSITIONS = ("orbit", "star", "beams", "topo", "floor")
FALLBACK_GLYPH = "gamepad-2"
_HUE_SHIFTS = (0, -16, 12, -26, 20, -8, 28, -34)
_SYMBOL = re.compile(r'<symbol id="i-([a-z0-9-]+)" viewBox="0 0 24 24">(.*?)</symbol>')


@cache
def glyphs() -> dict[str, str]:
    """Every icon of static/icons.svg: name to the markup inside its symbol, on a 24 × 24 grid."""
    sprite = (settings.BASE_DIR / "static" / "icons.svg").read_text(encoding="utf-8")
    return dict(_SYMBOL.findall(sprite))


def hues(colour: str) -> tuple[int, int]:
    """Two neighbouring hues in degrees for a game's "#rrggbb" colour; what is no colour gives lapis."""
    match = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", colour)
    if match is None:
        return 231, 255
    red, green, blue = (int(part, 16) / 255 for part in match.groups())
    hue = round(colorsys.rgb_to_hls(red, green, blue)[0] * 360)
    return hue, (hue + 24) % 360


def composition(key: str) -> str:
    """The composition that `key` (a listing's id) gets, the same one every time."""
    return COMPOSITIONS[_seed(key) % len(COMPOSITIONS)]


def svg(*, hues: tuple[int, int], glyph: str, key: str) -> str:
    """A 640 × 400 cover as SVG text.

    `hues` are degrees, `glyph` a name in static/icons.svg (an unknown one becomes a gamepad), `key` any
    stable text: one key always gives the same bytes, so the answer may be cached for ever.
    """
    seed = _seed(key)
    shift = _HUE_SHIFTS[seed // len(COMPOSITIONS) % len(_HUE_SHIFTS)]
    first, second = (hues[0] + shift) % 360, (hues[1] + shift) % 360
    draw = _random(seed)
    glow_x, glow_y = 380 + next(draw) * 160, 90 + next(draw) * 120
    art = _ART[composition(key)](draw, second)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<defs>{_gradients(first, second)}</defs>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#a)"/>'
        f'<circle cx="{glow_x:.0f}" cy="{glow_y:.0f}" r="330" fill="url(#g)"/>{art}'
        f'<circle cx="320" cy="192" r="150" fill="url(#h)"/>{_glyph(glyph)}</svg>'
    )


def _seed(key: str) -> int:
    return zlib.crc32(key.encode())


def _random(seed: int) -> Iterator[float]:
    """Numbers from 0 to 1 that depend on the seed alone, on every Python version."""
    state = seed % 2147483646 + 1
    while True:
        state = state * 16807 % 2147483647
        yield state / 2147483647


def _gradients(first: int, second: int) -> str:
    return (
        '<linearGradient id="a" x1="0" y1="0" x2="1" y2="1">'
        f'<stop offset="0" stop-color="hsl({first} 48% 13%)"/>'
        f'<stop offset=".55" stop-color="hsl({first} 56% 25%)"/>'
        f'<stop offset="1" stop-color="hsl({second} 54% 20%)"/></linearGradient>'
        f'<radialGradient id="g"><stop stop-color="hsl({second} 88% 60%)" stop-opacity=".72"/>'
        f'<stop offset="1" stop-color="hsl({second} 88% 50%)" stop-opacity="0"/></radialGradient>'
        f'<radialGradient id="h"><stop stop-color="hsl({first} 90% 66%)" stop-opacity=".42"/>'
        f'<stop offset="1" stop-color="hsl({first} 90% 60%)" stop-opacity="0"/></radialGradient>'
        '<linearGradient id="b" x1="0" y1="0" x2="0" y2="1">'
        f'<stop stop-color="hsl({second} 92% 76%)" stop-opacity=".75"/>'
        f'<stop offset="1" stop-color="hsl({second} 92% 70%)" stop-opacity="0"/></linearGradient>'
    )


def _glyph(name: str) -> str:
    body = glyphs().get(name) or glyphs()[FALLBACK_GLYPH]
    return (
        '<g transform="translate(245.6 117.6) scale(6.2)" fill="none" stroke="#fff" stroke-width="1.25"'
        f' stroke-linecap="round" stroke-linejoin="round">{body}</g>'
    )


def star(x: float, y: float, radius: float, *, turn: float = 0, waist: float = 0.7654) -> str:
    """The points of the eight-pointed star of the brand, for a polygon. `turn` is in degrees."""
    points = []
    for index in range(16):
        angle = math.radians(index * 22.5 + turn)
        reach = radius * waist if index % 2 else radius
        points.append(f"{x + reach * math.cos(angle):.1f},{y + reach * math.sin(angle):.1f}")
    return " ".join(points)


def _orbit(draw: Iterator[float], hue: int) -> str:
    rings = [
        f'<circle cx="320" cy="192" r="{66 + i * 44}" stroke="#fff" fill="none"'
        f' stroke-opacity="{0.26 - i * 0.034:.3f}"/>'
        for i in range(1, 7)
    ]
    moons = []
    for _ in range(7):
        angle, radius = next(draw) * math.tau, 66 + (1 + int(next(draw) * 5)) * 44
        x, y = 320 + radius * math.cos(angle), 192 + radius * math.sin(angle)
        moons.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{2 + next(draw) * 4:.1f}" fill="hsl({hue} 90% 78%)"/>'
        )
    return "".join(rings + moons)


def _star(_draw: Iterator[float], _hue: int) -> str:
    return "".join(
        f'<polygon points="{star(320, 192, 96 + i * 52, turn=i * 11.25)}" fill="#fff" fill-opacity=".022"'
        f' stroke="#fff" stroke-opacity="{0.3 - i * 0.045:.3f}"/>'
        for i in range(6)
    )


def _beams(draw: Iterator[float], _hue: int) -> str:
    start = 40 + next(draw) * 60
    beams = []
    for i in range(6):
        x, width = start + i * 96 + next(draw) * 20, 20 + next(draw) * 46
        corners = f"{x:.1f},-10 {x + width:.1f},-10 {x + width - 190:.1f},410 {x - 190:.1f},410"
        beams.append(
            f'<polygon points="{corners}" fill="url(#b)" fill-opacity="{0.16 + next(draw) * 0.3:.2f}"/>'
        )
    return "".join(beams)


def _topo(draw: Iterator[float], _hue: int) -> str:
    lines = []
    for k in range(15):
        base, swing, phase = 26 + k * 28, 16 + next(draw) * 12, k * 0.34
        points = "".join(
            f"L{x} {base + math.sin(x / 84 + phase) * swing + math.cos(x / 47 - phase) * swing * 0.42:.1f}"
            for x in range(0, 661, 30)
        )
        opacity = 0.2 if k % 4 == 0 else 0.07
        lines.append(
            f'<path d="M-10 {base}{points}" fill="none" stroke="#fff" stroke-opacity="{opacity}"'
            ' stroke-width="1.4" stroke-linejoin="round"/>'
        )
    return "".join(lines)


def _floor(_draw: Iterator[float], _hue: int) -> str:
    rays = [
        f'<path d="M{320 + i * 20} 262L{320 + i * 104} 420" stroke="#fff" stroke-opacity=".17"/>'
        for i in range(-12, 13)
    ]
    rows = [
        f'<path d="M-10 {y}H650" stroke="#fff" stroke-opacity="{0.3 - i * 0.025:.2f}"/>'
        for i, y in enumerate((262, 270, 282, 300, 326, 362))
    ]
    return "".join(rays + rows) + '<circle cx="320" cy="196" r="128" fill="url(#b)" fill-opacity=".5"/>'


_ART: dict[str, Callable[[Iterator[float], int], str]] = {
    "orbit": _orbit,
    "star": _star,
    "beams": _beams,
    "topo": _topo,
    "floor": _floor,
}
