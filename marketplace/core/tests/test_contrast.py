"""The colour tokens of the stylesheet reach WCAG AA in both themes."""

import itertools
import re
from pathlib import Path

import pytest
from django.conf import settings

INPUT: Path = settings.BASE_DIR / "tailwind" / "input.css"
THEMES = {"light": ":root {", "dark": "[data-theme=dark] {", "auto, on a dark device": "[data-theme=auto] {"}
TEXT, GRAPHIC = 4.5, 3.0


def pairs() -> list[tuple[str, str, float]]:
    """Each colour, the ground it stands on, and the contrast it needs there."""
    words = ["fg", "muted", "subtle", "accent-fg", "success-fg", "warn-fg", "danger-fg", "gold-fg"]
    grounds = ["canvas", "surface", "inset", "raised", "hover"]
    fills = ["accent", "success", "danger", "warn", "success-hover", "accent-hover", "danger-hover"]
    return [
        *((word, ground, TEXT) for word, ground in itertools.product(words, grounds)),
        *((f"{tone}-fg", f"{tone}-soft", TEXT) for tone in ("accent", "success", "warn", "danger", "gold")),
        *(("#ffffff", fill, TEXT) for fill in fills),
        *((edge, ground, GRAPHIC) for edge, ground in itertools.product(["control", "focus"], grounds[:4])),
        *((f"chart-{series}", "surface", GRAPHIC) for series in ("1", "2", "3", "4", "prev")),
        *(
            (word, ground, TEXT)
            for word, ground in itertools.product(["fg", "muted"], ["accent-soft", "bubble"])
        ),
        ("fg", "press", TEXT),
    ]


def tokens(selector: str) -> dict[str, str]:
    """The hex colours that the first rule with this selector sets, by token name."""
    css = INPUT.read_text(encoding="utf-8")
    rule = css[css.index(f"\n{selector}") :].split("\n}", 1)[0]
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", rule))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_wcag_defines_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_of_colours_can_be_read(theme):
    colours = tokens(THEMES[theme])

    weak = {
        f"{front} on {ground}": round(found, 2)
        for front, ground, needed in pairs()
        if (found := contrast(colours.get(front, front), colours[ground])) < needed
    }

    assert weak == {}


def test_the_device_decides_between_the_same_colours_as_the_reader():
    assert tokens(THEMES["auto, on a dark device"]) == tokens(THEMES["dark"])
