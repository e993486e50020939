"""Pictures as sellers take them, drawn, each number different."""

import io

from PIL import Image, ImageDraw

SIZE = (1200, 900)


def inventory(number):
    """A PNG of 1200 × 900: a shelf of coloured tiles on a dark ground."""
    image = Image.new("RGB", SIZE, (26 + 9 * (number % 7), 24, 46 + 6 * (number % 5)))
    draw = ImageDraw.Draw(image)
    for row in range(3):
        for column in range(5):
            tone = (number * 53 + row * 71 + column * 37) % 200
            left, top = 90 + column * 210, 120 + row * 230
            box = [left, top, left + 180, top + 190]
            draw.rounded_rectangle(
                box, 18, fill=(40 + tone // 2, 60 + (tone * 2) % 110, 90 + (tone * 3) % 120)
            )
            draw.ellipse([left + 50, top + 55, left + 130, top + 135], outline=(240, 240, 245), width=7)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
