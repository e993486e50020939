"""What may be attached, told by its bytes."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from marketplace.messaging.attachments import MAX_NAME, prepare, safe_name
from marketplace.messaging.errors import BadAttachment
from marketplace.messaging.tests.factories import file, picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_pictures_whatever_they_are_called(kind):
    kept = prepare(picture("virus.exe", kind=kind))

    assert (kept.type, kept.name, kept.is_picture) == ("image/webp", "virus.webp", True)
    assert kept.content[8:12] == b"WEBP"


def test_a_long_picture_is_made_smaller():
    kept = prepare(picture(size=(4000, 1000)))

    assert (kept.width, kept.height) == (1600, 400)


def test_metadata_does_not_get_through():
    exif = Image.Exif()
    exif[0x010E] = "Tashkent, home"
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG", exif=exif)
    upload = SimpleUploadedFile("photo.jpg", out.getvalue())

    assert b"Tashkent" in out.getvalue()
    assert b"Tashkent" not in prepare(upload).content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n...", "application/pdf"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00", "video/mp4"),
        ("Salom, bu chek\nИтого: 5".encode(), "text/plain"),
    ],
)
def test_a_few_kinds_of_files_are_kept_as_they_are(content, kind):
    kept = prepare(file(content, "receipt.bin"))

    assert (kept.type, kept.content, kept.is_picture) == (kind, content, False)


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00 a program",
        b"\x7fELF",
        b"PK\x03\x04 an archive, or an Office file",
        b"<html><script>alert(1)</script>",
        b"  \n<!doctype html>",
        b"\xef\xbb\xbf<svg onload=alert(1)>",
        b"#!/bin/sh\nrm -rf /",
        b"text with \x00 inside",
        b"\xff\xfe not utf-8",
        b"GIF89a\x01\x00\x01\x00",
        b"",
    ],
)
def test_everything_else_is_refused_with_its_name(content):
    with pytest.raises(BadAttachment) as refused:
        prepare(file(content, "harmless.txt"))

    assert "harmless.txt" in refused.value.message


def test_what_only_begins_like_a_picture_is_refused():
    with pytest.raises(BadAttachment, match="damaged"):
        prepare(file(b"\x89PNG\r\n\x1a\n and then nothing", "photo.png"))


def test_a_file_that_is_too_heavy_is_refused_before_it_is_read(settings):
    settings.CHAT_ATTACHMENT_MAX_BYTES = 1024 * 1024

    with pytest.raises(BadAttachment, match="larger than 1 MB"):
        prepare(file(b"%PDF-" + b"x" * (1024 * 1024)))
    assert prepare(file(b"%PDF-" + b"x" * (1024 * 1024 - 5)))


def test_a_decompression_bomb_is_never_unpacked(settings):
    settings.LISTING_IMAGE_MAX_PIXELS = 100 * 100

    with pytest.raises(BadAttachment, match="pixels"):
        prepare(picture(size=(101, 100)))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\chek.pdf", "chek.pdf"),
        ("line\r\nbreak.pdf", "linebreak.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("", "file"),
        ("...", "file"),
        ("a" * 300 + ".pdf", "a" * (MAX_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(given, kept):
    assert safe_name(given) == kept
