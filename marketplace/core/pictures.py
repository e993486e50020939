"""Decoding pictures that strangers send, and encoding what is kept instead of them."""

import io
import struct
import zlib
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
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


def decoded(
    upload: Any, *, longest: int, least: tuple[int, int] = (1, 1), is_still: bool = False
) -> Image.Image:
    """The first frame of a file, upright, in RGB, at most `longest` pixels long.

    Raises ValidationError, with words for the person who chose it, for what is no picture, broken, smaller than `least`
    (long side, short side), or would unpack to more than LISTING_IMAGE_MAX_PIXELS; `is_still`: for an animation too.
    """
    try:
        return _decoded(upload, longest, least, is_still)
    except Image.DecompressionBombError as error:
        raise ValidationError(_("has too many pixels"), code="too_many_pixels") from error
    except _BROKEN as error:
        raise ValidationError(
            _("is not a JPEG, PNG or WebP picture, or is damaged"), code="broken"
        ) from error


def _decoded(upload: Any, longest: int, least: tuple[int, int], is_still: bool) -> Image.Image:  # noqa: FBT001
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as source:
        wide, high = source.size
        # Known from the header alone: a bomb is never unpacked.
        if wide * high > settings.LISTING_IMAGE_MAX_PIXELS:
            raise ValidationError(_("has too many pixels"), code="too_many_pixels")
        if is_still and getattr(source, "is_animated", False):
            raise ValidationError(_("is animated"), code="animated")
        long, short = least
        if max(wide, high) < long or min(wide, high) < short:
            text = _("is %(width)d × %(height)d; at least %(long)d × %(short)d is needed")
            raise ValidationError(
                text % {"width": wide, "height": high, "long": long, "short": short}, code="too_small"
            )
        # A JPEG decoder can halve while it decodes, which is several times quicker for a phone's photo.
        source.draft("RGB", (longest, longest))
        source.load()
        upright = ImageOps.exif_transpose(source)
    if upright.mode in {"RGBA", "LA", "P", "PA"}:
        upright = upright.convert("RGBA")
        ground = Image.new("RGB", upright.size, "white")
        ground.paste(upright, mask=upright.getchannel("A"))
        upright = ground
    upright = upright.convert("RGB")
    upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return upright


def webp(picture: Image.Image, quality: int) -> bytes:
    """Encoded from bare pixels: no EXIF, no colour profile, no comment gets through."""
    bare = Image.frombytes("RGB", picture.size, picture.tobytes())
    out = io.BytesIO()
    bare.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()
