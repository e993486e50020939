"""What is accepted as a picture, and what is kept of it."""

import io
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from PIL import Image

from marketplace.listings import pictures, services
from marketplace.listings.models import Listing, ListingImage
from marketplace.listings.tests.factories import ListingFactory, png, upload
from marketplace.listings.tests.test_publishing import SECRETS, content, edit, same


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_three_webp_renditions(kind):
    made = pictures.prepare(upload(png(2400, 1600, kind=kind)))

    sizes = [opened(data).size for data in (made.large, made.card, made.thumb)]
    assert sizes == [(1600, 1067), (640, 400), (160, 100)]
    assert {opened(data).format for data in (made.large, made.card, made.thumb)} == {"WEBP"}


def test_orientation_is_applied_and_exif_is_gone():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter
    exif[0x8825] = {1: "N", 2: (41.0, 18.0, 0.0)}

    made = pictures.prepare(upload(png(1200, 800, kind="JPEG", exif=exif), "shot.jpg", "image/jpeg"))

    assert opened(made.large).size == (800, 1200)
    assert not opened(made.large).getexif()
    assert b"EXIF" not in made.large


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1", "I;16"])
def test_every_colour_mode_is_accepted(mode):
    color = 0 if mode in {"P", "L", "1", "I;16"} else None

    made = pictures.prepare(upload(png(1000, 700, mode=mode, color=color)))

    assert opened(made.large).mode == "RGB"


def test_of_an_animation_the_first_frame_is_kept():
    frames = [Image.new("RGB", (900, 700), color) for color in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=100)

    made = pictures.prepare(upload(out.getvalue(), "moving.webp"))

    red, _green, blue = opened(made.large).convert("RGB").getpixel((5, 5))
    assert red > 200
    assert blue < 60


def bomb():
    """A PNG header that promises 50 000 × 50 000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    body = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    )  # fmt: skip


def gif():
    out = io.BytesIO()
    Image.new("P", (900, 700)).save(out, "GIF")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "broken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "broken"),
        (b"<?php system($_GET['c']); ?>", "broken"),
        (b"\x89PNG\r\n\x1a\n", "broken"),
        (png()[:200], "broken"),
        (png(1600, 1200, kind="JPEG")[:2000], "broken"),
        (gif(), "broken"),
        (b"MZ" + png(), "broken"),
        (bomb(), "too_many_pixels"),
        (png(799, 600), "too_small"),
        (png(1600, 599), "too_small"),
        (b"\xff" * (5 * 1024 * 1024 + 1), "too_heavy"),
    ],
    ids=[
        "empty",
        "svg",
        "php",
        "header only",
        "cut png",
        "cut jpeg",
        "gif",
        "exe",
        "bomb",
        "narrow",
        "low",
        "heavy",
    ],
)
def test_what_is_no_proper_picture_is_refused(data, code):
    with pytest.raises(ValidationError) as refused:
        pictures.prepare(upload(data))

    assert refused.value.code == code


def test_of_a_polyglot_nothing_but_pixels_is_kept():
    made = pictures.prepare(upload(png(kind="JPEG") + b"<script>alert(1)</script>PK\x03\x04", "both.jpg"))

    assert b"<script>" not in made.large + made.card + made.thumb


# --- Stored with a listing ----------------------------------------------------------------------


def stored_files():
    found = []
    for folder in default_storage.listdir("listings")[0] if default_storage.exists("listings") else []:
        found += default_storage.listdir(f"listings/{folder}")[1]
    return set(found)


def some(number):
    return [pictures.prepare(upload(png(color=color))) for color in ("red", "green", "blue")[:number]]


@pytest.mark.django_db
def test_files_have_random_names_and_the_first_is_the_cover():
    listing = services.submit(
        seller=ListingFactory().seller, content=content(), secrets=SECRETS, pictures=some(2)
    )

    first, second = listing.images.all()
    assert (first.is_primary, second.is_primary) == (True, False)
    assert listing.cover == first.card.name
    assert "shot" not in first.image.name
    assert (first.width, first.height) == (1000, 700)


@pytest.mark.django_db
def test_another_cover_is_chosen_and_a_picture_removed(django_capture_on_commit_callbacks):
    listing = services.submit(
        seller=ListingFactory().seller, content=content(), secrets=SECRETS, pictures=some(3)
    )
    first, second, third = listing.images.all()

    with django_capture_on_commit_callbacks(execute=True):
        edit(listing, same(listing), removed=[first.pk], first=third.pk)

    listing.refresh_from_db()
    assert [image.pk for image in listing.images.all()] == [third.pk, second.pk]
    assert listing.cover == third.card.name
    assert not default_storage.exists(first.image.name)


@pytest.mark.django_db
def test_nothing_stays_behind_when_saving_fails(monkeypatch):
    before = stored_files()
    monkeypatch.setattr(services.publishing, "_send_to_review", lambda listing: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        services.submit(seller=ListingFactory().seller, content=content(), secrets=SECRETS, pictures=some(2))

    assert stored_files() == before
    assert not ListingImage.objects.exists()
    assert Listing.objects.count() == 1
