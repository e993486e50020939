"""Pictures of an offer: what is accepted, and the WebP renditions that are kept instead of the file that came."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from marketplace.listings.models import ListingImage

logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP")
LARGE, CARD, THUMB = 1600, (640, 400), (160, 100)
# Everything that Pillow's decoders raise on bytes that are not what they claim to be.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    KeyError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True, repr=False)
class Renditions:
    """A picture as it will be stored: WebP bytes in three sizes, upright, without metadata."""

    large: bytes
    card: bytes
    thumb: bytes


def prepare(upload: UploadedFile) -> Renditions:
    """Decode an uploaded picture and encode its renditions.

    Raises ValidationError, with words for the person who chose it, for what is too heavy, no picture, broken, too
    small, or would unpack to more than LISTING_IMAGE_MAX_PIXELS. Of an animation the first frame is kept.
    """
    if (upload.size or 0) > settings.LISTING_IMAGE_MAX_BYTES:
        limit = settings.LISTING_IMAGE_MAX_BYTES // 1024 // 1024
        raise ValidationError(_("larger than %(limit)d MB") % {"limit": limit}, code="too_heavy")
    try:
        picture = _decoded(upload)
    except Image.DecompressionBombError as error:
        raise ValidationError(_("has too many pixels"), code="too_many_pixels") from error
    except _BROKEN as error:
        raise ValidationError(
            _("is not a JPEG, PNG or WebP picture, or is damaged"), code="broken"
        ) from error
    card = ImageOps.fit(picture, CARD, Image.Resampling.LANCZOS)
    thumb = ImageOps.fit(card, THUMB, Image.Resampling.LANCZOS)
    return Renditions(_webp(picture, 80), _webp(card, 78), _webp(thumb, 74))


def _decoded(upload: UploadedFile) -> Image.Image:
    """The first frame, upright, in RGB, at most LARGE pixels long."""
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as source:
        wide, high = source.size
        # Known from the header alone: a bomb is never unpacked.
        if wide * high > settings.LISTING_IMAGE_MAX_PIXELS:
            raise ValidationError(_("has too many pixels"), code="too_many_pixels")
        long, short = settings.LISTING_IMAGE_MIN_SIZE
        if max(wide, high) < long or min(wide, high) < short:
            text = _("is %(width)d × %(height)d; at least %(long)d × %(short)d is needed")
            raise ValidationError(
                text % {"width": wide, "height": high, "long": long, "short": short}, code="too_small"
            )
        # A JPEG decoder can halve while it decodes, which is several times quicker for a phone's photo.
        source.draft("RGB", (LARGE, LARGE))
        source.load()
        upright = ImageOps.exif_transpose(source)
    if upright.mode in {"RGBA", "LA", "P", "PA"}:
        upright = upright.convert("RGBA")
        ground = Image.new("RGB", upright.size, "white")
        ground.paste(upright, mask=upright.getchannel("A"))
        upright = ground
    upright = upright.convert("RGB")
    upright.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
    return upright


def _webp(picture: Image.Image, quality: int) -> bytes:
    """Encoded from bare pixels: no EXIF, no colour profile, no comment gets through."""
    bare = Image.frombytes("RGB", picture.size, picture.tobytes())
    out = io.BytesIO()
    bare.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


@contextmanager
def stored(prepared: Iterable[Renditions]) -> Iterator[list[ListingImage]]:
    """Write renditions to the storage and give unsaved rows for them; an error inside takes the files away again.

    Open it around the transaction that saves the rows, so that files and rows come and go together.
    """
    rows: list[ListingImage] = []
    try:
        for one in prepared:
            row = ListingImage()
            rows.append(row)
            row.image.save("large.webp", ContentFile(one.large, name="large.webp"), save=False)
            row.card.save("card.webp", ContentFile(one.card), save=False)
            row.thumb.save("thumb.webp", ContentFile(one.thumb), save=False)
        yield rows
    except BaseException:
        discard(_names(rows))
        raise


def discard_on_commit(images: Iterable[ListingImage]) -> None:
    """Delete the files of rows that this transaction removes, once it commits."""
    transaction.on_commit(partial(discard, _names(images)))


def discard(names: Iterable[str]) -> None:
    """Delete files. One that cannot be deleted is logged and left: it is an orphan, not an error of the person."""
    for name in names:
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.warning("picture %s was not deleted: %s", name, error)


def _names(images: Iterable[ListingImage]) -> list[str]:
    return [file.name for row in images for file in (row.image, row.card, row.thumb) if file.name]
