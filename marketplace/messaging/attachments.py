"""What may be attached to a message, told by its bytes and not by its name.

Pictures are decoded and kept as new WebP files without metadata. A few kinds of files are kept as they are and only ever
served as downloads. Everything else is refused: programs, archives, pages, Office files with macros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from marketplace.core import scanning
from marketplace.core.pictures import decoded, webp
from marketplace.messaging.errors import BadAttachment, NotScanned

LONGEST = 1600
MAX_NAME = 120
_PICTURES = ((b"\xff\xd8\xff", b""), (b"\x89PNG\r\n\x1a\n", b""), (b"RIFF", b"WEBP"))
# Control characters, and those that turn writing around, so that "gpj.exe" cannot be read as "exe.jpg".
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]")


@dataclass(frozen=True, slots=True, repr=False)
class Attachment:
    """A file as it will be kept. Sizes in bytes and pixels; a picture has both pixels, a file has none."""

    content: bytes
    name: str
    type: str
    width: int = 0
    height: int = 0

    @property
    def is_picture(self) -> bool:
        return self.width > 0

    def file(self) -> ContentFile:
        return ContentFile(self.content, name=self.name)


def prepare(upload: Any) -> Attachment:
    """Look at an uploaded file. Raises BadAttachment, with words for the person who chose it; NotScanned is one of them."""
    most = settings.CHAT_ATTACHMENT_MAX_BYTES
    name = safe_name(upload.name)
    if (upload.size or 0) > most:
        raise BadAttachment(
            _("%(name)s: larger than %(limit)d MB") % {"name": name, "limit": most // 1024 // 1024}
        )
    upload.seek(0)
    content = upload.read(most + 1)
    if not content:
        raise BadAttachment(_("%(name)s: the file is empty") % {"name": name})
    _scanned(upload, name)
    if any(content.startswith(head) and content[8:12].startswith(tail) for head, tail in _PICTURES):
        return _picture(upload, name)
    kind = _kind_of(content)
    if not kind:
        raise BadAttachment(
            _("%(name)s: only pictures (JPEG, PNG, WebP), PDF, MP4 video and plain text can be sent")
            % {"name": name}
        )
    return Attachment(content, name, kind)


def safe_name(name: str | None) -> str:
    """A file's name as it may be shown: no folders, no control characters, not too long; the ending stays."""
    bare = _UNSAFE.sub("", (name or "").replace("\\", "/").rsplit("/", 1)[-1]).strip(" .")
    if len(bare) > MAX_NAME:
        stem, dot, ending = bare.rpartition(".")
        bare = (
            stem[: MAX_NAME - 1 - len(ending)] + dot + ending if dot and len(ending) <= 8 else bare[:MAX_NAME]
        )
    return bare or "file"


def _scanned(upload: Any, name: str) -> None:
    try:
        scanning.scan(upload, door="chat")
    except ValidationError as error:
        refusal = NotScanned if error.code == scanning.NOT_SCANNED else BadAttachment
        raise refusal(f"{name}: {error.messages[0]}") from error


def _picture(upload: Any, name: str) -> Attachment:
    try:
        picture = decoded(upload, longest=LONGEST)
    except ValidationError as error:
        raise BadAttachment(f"{name}: {error.messages[0]}") from error
    stem = name.rpartition(".")[0] or name
    return Attachment(webp(picture, 80), f"{stem[: MAX_NAME - 5]}.webp", "image/webp", *picture.size)


def _kind_of(content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content[4:8] == b"ftyp" and content[8:12] in {
        b"isom",
        b"iso2",
        b"mp41",
        b"mp42",
        b"avc1",
        b"M4V ",
        b"MSNV",
    }:
        return "video/mp4"
    return "text/plain" if _is_plain(content) else ""


def _is_plain(content: bytes) -> bool:
    """UTF-8 without control characters, and nothing that a browser could take for a page."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    has_controls = any((sign < " " or sign == "\x7f") and sign not in "\t\r\n" for sign in text)
    return not has_controls and not text.lstrip("\ufeff \t\r\n").startswith(("<", "#!"))
