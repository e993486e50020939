"""Draw the tiles of the ways to pay: static/img/pay/*.svg. They are ours, a letter on a colour, and nobody's artwork.

The letters are outlines, because a picture loads no font. Run by hand after a change; what it writes is committed.
"""

from pathlib import Path

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
TILES = ROOT / "static" / "img" / "pay"
SIZE, HIGH = 40, 15
# Code: letters and ground. Every ground bears white at 4.5 or better.
MARKS = {
    "payme": ("P", "#0b7285"),
    "click": ("C", "#1c5fd4"),
    "paynet": ("Pn", "#2b7a3d"),
    "uzcard": ("U", "#3544a8"),
    "humo": ("H", "#8a5a00"),
    "stripe": ("VM", "#4a45c4"),
    "kaspi": ("K", "#c0342b"),
    "freedompay": ("F", "#0f6e5a"),
    "cloudpayments": ("T", "#6a35c9"),
    "mock": ("M", "#5b6472"),
    "sandbox": ("Sb", "#5b6472"),
}


def mark(font: TTFont, letters: str, ground: str) -> str:
    glyphs, names = font.getGlyphSet(), [font.getBestCmap()[ord(letter)] for letter in letters]
    scale = HIGH / font["glyf"][names[0]].yMax
    left = (SIZE - sum(font["hmtx"][name][0] for name in names) * scale) / 2
    pen = SVGPathPen(glyphs, ntos=lambda number: f"{number:.2f}".rstrip("0").rstrip("."))
    for name in names:
        glyphs[name].draw(TransformPen(pen, (scale, 0, 0, -scale, left, (SIZE + HIGH) / 2)))
        left += font["hmtx"][name][0] * scale
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}">'
        f'<rect width="{SIZE}" height="{SIZE}" rx="10" fill="{ground}"/>'
        f'<path d="{pen.getCommands()}" fill="#fff"/></svg>\n'
    )


def main() -> None:
    font = TTFont(ROOT / "marketplace" / "payments" / "fonts" / "inter-bold.ttf")
    TILES.mkdir(parents=True, exist_ok=True)
    for code, (letters, ground) in MARKS.items():
        (TILES / f"{code}.svg").write_text(mark(font, letters, ground))


if __name__ == "__main__":
    main()
