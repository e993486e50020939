"""Pictures of an offer: what is accepted, and the WebP renditions that are kept instead of the file that came."""

from __future__ import annotations

import logging
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

from marketplace.core import scanning
from marketplace.core.pictures import decoded, webp
from marketplace.listings.models import ListingImage

logger = logging.getLogger(__name__)

LARGE, CARD, THUMB = 1600, (640, 400), (160, 100)


@dataclass(frozen=True, slots=True, repr=False)
class Renditions:
    """A picture as it will be stored: WebP bytes in three sizes, upright, without metadata."""

    large: bytes
    card: bytes
    thumb: bytes


def prepare(upload: UploadedFile) -> Renditions:
    """Decode an uploaded picture and encode its renditions.

    Raises ValidationError, with words for the person who chose it, for what is too heavy, infected or not scanned, no
    picture, broken, too small, or would unpack to more than LISTING_IMAGE_MAX_PIXELS. Of an animation the first frame is
    kept.
    """
    if (upload.size or 0) > settings.LISTING_IMAGE_MAX_BYTES:
        limit = settings.LISTING_IMAGE_MAX_BYTES // 1024 // 1024
        raise ValidationError(_("larger than %(limit)d MB") % {"limit": limit}, code="too_heavy")
    scanning.scan(upload, door="offer")
    picture = decoded(upload, longest=LARGE, least=settings.LISTING_IMAGE_MIN_SIZE)
    card = ImageOps.fit(picture, CARD, Image.Resampling.LANCZOS)
    thumb = ImageOps.fit(card, THUMB, Image.Resampling.LANCZOS)
    return Renditions(webp(picture, 80), webp(card, 78), webp(thumb, 74))


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
