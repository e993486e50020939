"""Make the fonts of receipts and statements out of the site's own: marketplace/payments/fonts/*.ttf.

PDFs need plain TrueType files. The site's are variable WOFF2 by script, so each weight is cut out of them, the scripts
are joined (Kazakh and Uzbek in Cyrillic need the extended one too), digits take their tabular shapes, and the tenge sign,
which they lack, is drawn from the T. Run once by hand; what it writes is committed.
"""

import shutil
import tempfile
from pathlib import Path

from fontTools.merge import Merger
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

ROOT = Path(__file__).resolve().parent.parent
SITE, PAPER = ROOT / "static" / "fonts", ROOT / "marketplace" / "payments" / "fonts"
WEIGHTS = {"regular": 400, "bold": 660}
DROPPED = (
    "GSUB",
    "GPOS",
    "GDEF",
    "STAT",
    "DSIG",
    "meta",
    "HVAR",
    "MVAR",
    "avar",
    "gasp",
    "prep",
    "fpgm",
    "cvt ",
)


def cut(script: str, weight: int) -> TTFont:
    font = TTFont(SITE / f"inter-{script}-opsz-normal.woff2")
    font = instantiateVariableFont(font, {"wght": weight, "opsz": 14}, inplace=True)
    tabular = {}
    for record in font["GSUB"].table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for number in record.Feature.LookupListIndex:
                for table in font["GSUB"].table.LookupList.Lookup[number].SubTable:
                    tabular |= getattr(getattr(table, "ExtSubTable", table), "mapping", {})
    for table in font["cmap"].tables:
        for code, name in table.cmap.items():
            table.cmap[code] = tabular.get(name, name) if chr(code).isdigit() else name
    for name in DROPPED:
        if name in font:
            del font[name]
    font.flavor = None
    return font


def add_tenge(font: TTFont) -> None:
    """A T whose bar is doubled: U+20B8."""
    glyphs, base = font.getGlyphSet(), font.getBestCmap()[ord("T")]
    outline = font["glyf"][base]
    height, width = outline.yMax, outline.xMax - outline.xMin
    thick = round(height * 0.11)
    pen = TTGlyphPen(None)
    squeezed = DecomposingRecordingPen(glyphs)
    glyphs[base].draw(squeezed)
    low = 1 - 1.9 * thick / height
    for action, points in squeezed.value:
        getattr(pen, action)(*((x, round(y * low)) for x, y in points))
    left, right = outline.xMin, outline.xMin + width
    pen.moveTo((left, height - thick))
    for corner in ((left, height), (right, height), (right, height - thick)):
        pen.lineTo(corner)
    pen.closePath()
    font.setGlyphOrder([*font.getGlyphOrder(), "tenge"])
    font["glyf"]["tenge"] = pen.glyph()
    font["hmtx"]["tenge"] = font["hmtx"][base]
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[0x20B8] = "tenge"


def main() -> None:
    PAPER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for name, weight in WEIGHTS.items():
            parts = []
            for script in ("latin", "cyrillic", "cyrillic-ext"):
                parts.append(f"{work}/{script}.ttf")
                cut(script, weight).save(parts[-1])
            joined = Merger().merge(parts)
            add_tenge(joined)
            joined.save(PAPER / f"inter-{name}.ttf")
    shutil.copy(SITE / "inter-LICENSE.txt", PAPER / "inter-LICENSE.txt")


if __name__ == "__main__":
    main()
