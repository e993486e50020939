"""Pictures for offers: drawn, not photographed, but real files of real size that take the way of every upload."""

import io
import math
import random
from functools import lru_cache

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFilter

from marketplace.listings.pictures import Renditions, prepare

SIZE = (1200, 900)
UPLOADED = (960, 720)


@lru_cache(maxsize=400)
def picture(color: str, second: str, kind: int) -> Renditions:
    """One of a game's pictures as renditions: prepared once, stored as often as it is used."""
    rng = random.Random(f"{color}{kind}")  # nosec B311
    image = _ground(color, second, rng)
    draw = ImageDraw.Draw(image, "RGBA")
    rng.choice((_inventory, _profile, _arena, _cards))(draw, rng)
    out = io.BytesIO()
    image.convert("RGB").resize(UPLOADED).save(out, "JPEG", quality=82)
    return prepare(SimpleUploadedFile("screen.jpg", out.getvalue(), content_type="image/jpeg"))


def _ground(color: str, second: str, rng: random.Random) -> Image.Image:
    small = Image.new("RGB", (60, 45), color)
    draw = ImageDraw.Draw(small)
    for _blob in range(7):
        x, y, size = rng.randint(-10, 60), rng.randint(-10, 45), rng.randint(10, 34)
        draw.ellipse((x, y, x + size, y + size), fill=rng.choice([color, second, "#11151c"]))
    return small.filter(ImageFilter.GaussianBlur(7)).resize(SIZE, Image.Resampling.BICUBIC)


def _inventory(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """A grid of items, the rarer ones framed."""
    rare = ["#8b95a5", "#6d86ff", "#b0487f", "#e0b04a", "#4fd6a3"]
    for row in range(4):
        for column in range(6):
            x, y = 90 + column * 175, 130 + row * 175
            tone = rng.choice(rare)
            draw.rounded_rectangle((x, y, x + 150, y + 150), 18, fill="#0c0f1699", outline=tone, width=4)
            draw.rectangle((x + 14, y + 136, x + 136, y + 142), fill=tone)
            _glyph(draw, rng, x + 75, y + 70, 40, tone)


def _profile(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """A player's card beside lines of statistics."""
    draw.rounded_rectangle((80, 110, 460, 790), 28, fill="#0c0f16aa")
    _glyph(draw, rng, 270, 330, 110, "#f3d27f")
    for line in range(5):
        draw.rounded_rectangle(
            (130, 520 + line * 46, 130 + rng.randint(120, 280), 536 + line * 46), 8, fill="#eef1f6"
        )
    draw.rounded_rectangle((500, 110, 1120, 790), 28, fill="#0c0f16aa")
    for line in range(9):
        y = 170 + line * 66
        draw.rounded_rectangle((550, y, 1070, y + 18), 9, fill="#ffffff22")
        draw.rounded_rectangle(
            (550, y, 550 + rng.randint(80, 520), y + 18),
            9,
            fill=rng.choice(["#4fd6a3", "#6d86ff", "#e0b04a"]),
        )


def _arena(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """A field in perspective."""
    for line in range(14):
        y = 330 + line * line * 3.2
        draw.line((0, y, SIZE[0], y), fill="#ffffff22", width=2)
    for line in range(-12, 13):
        draw.line((600 + line * 30, 330, 600 + line * 230, 900), fill="#ffffff22", width=2)
    for _hill in range(6):
        x, high = rng.randint(0, 1200), rng.randint(80, 240)
        draw.polygon([(x - high, 335), (x, 335 - high), (x + high, 335)], fill="#0c0f1688")
    for _mark in range(5):
        _glyph(draw, rng, rng.randint(150, 1050), rng.randint(430, 780), rng.randint(26, 60), "#ffffff")


def _cards(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """Three large cards."""
    for number in range(3):
        x = 120 + number * 330
        tone = rng.choice(["#e0b04a", "#6d86ff", "#e583b3", "#4fd6a3"])
        draw.rounded_rectangle((x, 150, x + 290, 750), 26, fill="#0c0f16bb", outline=tone, width=6)
        _glyph(draw, rng, x + 145, 370, 95, tone)
        for line in range(3):
            draw.rounded_rectangle(
                (x + 45, 580 + line * 44, x + 45 + rng.randint(90, 200), 598 + line * 44), 9, fill="#eef1f6"
            )


def _glyph(draw: ImageDraw.ImageDraw, rng: random.Random, x: float, y: float, size: float, tone: str) -> None:
    """A star, a gem or a ring."""
    kind = rng.randint(0, 2)
    if kind == 0:
        points = []
        for corner in range(16):
            reach = size if corner % 2 == 0 else size * 0.55
            angle = math.tau * corner / 16
            points.append((x + reach * math.sin(angle), y - reach * math.cos(angle)))
        draw.polygon(points, fill=tone)
    elif kind == 1:
        draw.polygon(
            [
                (x, y - size),
                (x + size * 0.8, y - size * 0.2),
                (x, y + size),
                (x - size * 0.8, y - size * 0.2),
            ],
            fill=tone,
        )
    else:
        draw.ellipse((x - size, y - size, x + size, y + size), outline=tone, width=max(4, int(size / 5)))
