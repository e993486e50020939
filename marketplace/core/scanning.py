"""Files of strangers are shown to a virus scanner before anything else reads them: clamd, by its INSTREAM (see clamd(8)).

Why this is no library: docs/decisions/0012-the-virus-scanner.md.
"""

import hashlib
import logging
import re
import socket
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

logger = logging.getLogger(__name__)

# Codes of the refusals.
INFECTED, NOT_SCANNED = "infected", "not_scanned"
# CLAMD_URL of a site that has decided to do without.
NONE = "none"
MOST_BYTES = 25 * 1024 * 1024  # deploy/clamd.conf says the same to the other end
SIGNATURES_ARE_OLD_AFTER = timedelta(days=7)

_PIECE = 64 * 1024
_LONGEST_ANSWER = 1024
_STATE_SECONDS = 1.0  # the health page is asked every few seconds
_FOUND = re.compile(r"stream: ([\x21-\x7e]{1,200}) FOUND")
_VERSION = re.compile(r"ClamAV [\w.+-]+(?:/\d+/([\w: ]{20,30}))?")


class NoAnswerError(Exception):
    """The scanner cannot be asked, is too slow, or says what it should not."""


def scan(upload: Any, *, door: str) -> None:
    """Refuse what the scanner warns of, and everything while it gives no answer.

    The whole of the file is shown, however it was declared, and it is left at its beginning. `door` says in the log where it
    came in. Without a scanner (CLAMD_URL) nothing is asked.

    Raises ValidationError with words for the person who chose the file, to be put after its name; its code is INFECTED or
    NOT_SCANNED. Source: OWASP ASVS 5.0, 5.4.3.
    """
    if not is_on():
        return
    try:
        signature = _signature_in(upload)
    except NoAnswerError as error:
        logger.error("a file was refused unseen (%s): the virus scanner gives no answer: %s", door, error)  # noqa: TRY400
        raise ValidationError(
            _("could not be checked for viruses just now; try again in a few minutes"), code=NOT_SCANNED
        ) from error
    finally:
        upload.seek(0)
    if signature:
        size, digest = _measured(upload)
        logger.warning(
            "a file was refused (%s): the virus scanner says %s; %d bytes, SHA-256 %s",
            door, signature, size, digest,
        )  # fmt: skip
        raise ValidationError(_("the virus scanner warns of this file, so it is not taken"), code=INFECTED)


def is_on() -> bool:
    return settings.CLAMD_URL not in {"", NONE}


def is_fit(url: str) -> bool:
    """Whether CLAMD_URL says nothing, "none", or where a scanner is."""
    try:
        return url in {"", NONE} or bool(_place(url))
    except ValueError:
        return False


# --- What operators see -----------------------------------------------------------------------------


def state() -> str:
    """For the health page: off, ok, old (its signatures are, so freshclam does not reach its source), or down."""
    if not is_on():
        return "off"
    try:
        made_at = _signatures_made_at()
    except NoAnswerError:
        return "down"
    is_old = made_at is not None and timezone.now() - made_at > SIGNATURES_ARE_OLD_AFTER
    return "old" if is_old else "ok"


def gauges() -> Iterator[Metric]:
    """Nothing where there is no scanner. The age is missing for signatures of one's own, which have no date."""
    if not is_on():
        return
    made_at, is_up = None, 1
    try:
        made_at = _signatures_made_at()
    except NoAnswerError:
        is_up = 0
    yield GaugeMetricFamily(
        "scanner_up", "1 when the virus scanner answers; uploads wait for it.", value=is_up
    )
    if made_at is not None:
        age = (timezone.now() - made_at).total_seconds()
        yield GaugeMetricFamily("scanner_signatures_age_seconds", "How old its signatures are.", value=age)


def _signatures_made_at() -> datetime | None:
    answer = _asked(b"VERSION", iter(()), seconds=_STATE_SECONDS)
    said = _VERSION.fullmatch(answer)
    if not said:
        raise NoAnswerError("no version of ClamAV")
    if not said[1]:
        return None
    try:
        # Its own machine's time, without a zone: some hours are no matter here.
        return datetime.strptime(said[1], "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        raise NoAnswerError("a version without a date") from None


# --- The protocol -----------------------------------------------------------------------------------


def _signature_in(upload: Any) -> str:
    """The name of what was found, or nothing. Any answer but these two is none."""
    answer = _asked(b"INSTREAM", _pieces(upload), seconds=settings.CLAMD_TIMEOUT)
    if answer == "stream: OK":
        return ""
    found = _FOUND.fullmatch(answer)
    if not found:
        raise NoAnswerError(f"it says {answer[:100]!r}")
    return found[1]


def _pieces(upload: Any) -> Iterator[bytes]:
    """The stream's chunks: each with its length before it (four bytes, big end first), an empty one last."""
    upload.seek(0)
    sent = 0
    while piece := upload.read(_PIECE):
        sent += len(piece)
        if sent > MOST_BYTES:
            raise NoAnswerError(f"more than the {MOST_BYTES} bytes that it takes")
        yield struct.pack("!L", len(piece)) + piece
    yield struct.pack("!L", 0)


def _asked(command: bytes, pieces: Iterator[bytes], *, seconds: float) -> str:
    """Its answer, without the NUL that ends it. All together takes no longer than `seconds`."""
    ends_at = monotonic() + seconds
    try:
        with _connected(ends_at) as line:
            _send(line, b"z" + command + b"\0", ends_at)
            for piece in pieces:
                _send(line, piece, ends_at)
            return _heard(line, ends_at)
    except (OSError, ValueError) as error:
        raise NoAnswerError(f"{type(error).__name__}: {error}") from error


def _connected(ends_at: float) -> socket.socket:
    place = _place(settings.CLAMD_URL)
    if isinstance(place, tuple):
        return socket.create_connection(place, timeout=_left(ends_at))
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(_left(ends_at))
        line.connect(place)
    except OSError:
        line.close()
        raise
    return line


def _place(url: str) -> tuple[str, int] | str:
    """Host and port, or the path of a UNIX socket. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "tcp" and parts.hostname and parts.port and not parts.path:
        return parts.hostname, parts.port
    if parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/"):
        return parts.path
    raise ValueError("CLAMD_URL is neither tcp://HOST:PORT nor unix:///PATH")


def _send(line: socket.socket, data: bytes, ends_at: float) -> None:
    line.settimeout(_left(ends_at))
    line.sendall(data)


def _heard(line: socket.socket, ends_at: float) -> str:
    answer = b""
    while not answer.endswith(b"\0"):
        line.settimeout(_left(ends_at))
        piece = line.recv(_LONGEST_ANSWER)
        answer += piece
        if not piece or len(answer) > _LONGEST_ANSWER:
            raise NoAnswerError("an answer without an end")
    return answer[:-1].decode("ascii", "replace")


def _left(ends_at: float) -> float:
    left = ends_at - monotonic()
    if left <= 0:
        raise TimeoutError("too slow")
    return left


def _measured(upload: Any) -> tuple[int, str]:
    """How long it is and its SHA-256: what it may be looked up by, without keeping it."""
    size, digest = 0, hashlib.sha256()
    while piece := upload.read(_PIECE):
        size += len(piece)
        digest.update(piece)
    upload.seek(0)
    return size, digest.hexdigest()
