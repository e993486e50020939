"""The picture of a person: a square that we encode ourselves, whatever was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from marketplace.core import scanning
from marketplace.core.pictures import decoded, webp

MAX_BYTES = 2 * 1024 * 1024
SIDE = 320  # the largest place on a page is 80 pixels wide, on screens with up to four to one
_QUALITY = 82
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
_KINDS = _("Choose a JPEG, PNG or WebP picture.")


def square(upload: Any) -> ContentFile[bytes]:
    """A WebP of SIDE by SIDE pixels, cut from the middle, without anything but pixels, under a name of ours.

    Raises ValidationError for what is called otherwise, too heavy, infected or not scanned, no picture, broken, animated, or has
    too many pixels.
    """
    if Path(upload.name).suffix.lower() not in _ENDINGS:
        raise ValidationError(_KINDS, code="broken")
    if upload.size > MAX_BYTES:
        raise ValidationError(now("The picture is larger than 2 MB."), code="too_large")
    try:
        scanning.scan(upload, door="person")
        picture = decoded(upload, longest=4 * SIDE, is_still=True)
    except ValidationError as error:
        raise ValidationError(_WORDS.get(error.code or "", _KINDS), code=error.code) from error
    picture = ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS)
    return ContentFile(webp(picture, _QUALITY), name=f"{uuid4().hex}.webp")


_WORDS = {
    "too_many_pixels": _("The picture has too many pixels. Make it smaller first."),
    scanning.INFECTED: _("The virus scanner warns of this picture. Choose another one."),
    scanning.NOT_SCANNED: _(
        "The picture could not be checked for viruses just now. Try again in a few minutes."
    ),
    "animated": _("Choose a picture that does not move."),
}


class PictureField(forms.FileField):
    """Gives the square, or what the person wants instead (nothing, or what is there). The sender's file name is not kept."""

    default_error_messages = {"empty": _KINDS, "invalid": _KINDS, "missing": _KINDS}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "max_length": None})

    def to_python(self, data: Any) -> Any:
        file = super().to_python(data)
        return square(file) if file else file

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "accept": "image/jpeg,image/png,image/webp"}
