"""The copy of all that the house keeps of a person: asked for, made by a job, fetched by its owner, deleted with time.

It is a zip of one JSON file for each part (`traces.Part`), the files that belong to it, and a README in the person's
language. Rows and files pass through one by one on their way to the disk: nothing is held in memory as a whole.
"""

import json
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from secrets import token_hex
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from marketplace.accounts import traces, trail
from marketplace.accounts.errors import ExportTooSoon
from marketplace.accounts.facts import ExportReady
from marketplace.accounts.models import DataExport, User
from marketplace.accounts.trail import Kind
from marketplace.core import dates, files, jobs
from marketplace.core.announce import announce

logger = logging.getLogger(__name__)

STORAGE = "private"
_PIECE = 64 * 1024
Status = DataExport.Status


# --- Asking -----------------------------------------------------------------------------------------


@transaction.atomic
def ask(*, user: User, at: datetime) -> DataExport:
    """Have a copy made. Raises ExportTooSoon where one was asked for within a day; one that failed does not count."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two presses at once are one after the other
    if next_at(latest(user, at=at), at=at):
        raise ExportTooSoon(str(user.pk))
    made = DataExport.objects.create(user=user, created_at=at)
    jobs.enqueue("tasks.accounts.build_export", export_id=str(made.pk))
    trail.record(Kind.EXPORT_ASKED, user=user, about=made)
    logger.info("person %s asks for a copy of their data", user.pk)
    return made


def latest(user: User, *, at: datetime) -> DataExport | None:
    """The person's last one, as it stands at that moment: a file that is too old is as good as deleted."""
    found = DataExport.objects.filter(user=user).order_by("-created_at", "-id").first()
    if found and found.status == Status.READY and found.expires_at and found.expires_at <= at:
        found.status = Status.EXPIRED
    return found


def next_at(last: DataExport | None, *, at: datetime) -> datetime | None:
    """From when on the next one may be asked for; None where that is now."""
    if last is None or last.status == Status.FAILED:
        return None
    then = last.created_at + settings.DATA_EXPORT_EVERY
    return then if then > at else None


def fetchable(user: User, export_id: UUID, *, at: datetime) -> DataExport | None:
    """The person's own one, while its file is there to be fetched."""
    return DataExport.objects.filter(pk=export_id, user=user, status=Status.READY, expires_at__gt=at).first()


def opened(export: DataExport) -> IO[bytes]:
    """Its file, for its owner who fetches it: that stays on record. Raises FileNotFoundError."""
    stream: IO[bytes] = storages[STORAGE].open(export.file, "rb")
    trail.record(Kind.DATA_EXPORTED, user=export.user_id, about=export)
    return stream


# --- Making -----------------------------------------------------------------------------------------


def build(*, export_id: UUID, at: datetime) -> None:
    """Make the file of one that waits. Twice, at once or after a crash, leaves one file."""
    export = DataExport.objects.select_related("user").filter(pk=export_id, status=Status.QUEUED).first()
    if export is None:
        return
    storage, left = storages[STORAGE], export.file
    # Noted before there is one: whoever comes after us knows what a crash left behind.
    name = f"exports/{export.pk.hex}-{token_hex(16)}.zip"
    if not DataExport.objects.filter(pk=export.pk, status=Status.QUEUED, file=left).update(file=name):
        return
    if left:
        storage.delete(left)
    with tempfile.TemporaryFile() as heap:
        with _one_reading():
            _write(heap, export.user, at=at)
        size = heap.tell()
        heap.seek(0)
        saved = storage.save(name, File(heap))
    ours = DataExport.objects.filter(pk=export.pk, status=Status.QUEUED, file=name)
    until = at + settings.DATA_EXPORT_KEPT
    with transaction.atomic():
        is_ready = ours.update(status=Status.READY, file=saved, size=size, ready_at=at, expires_at=until)
        if is_ready:
            announce(ExportReady(user_id=export.user_id, until=until))
    if not is_ready:  # somebody else began anew meanwhile, or the person is gone
        storage.delete(saved)
        return
    logger.info("copy of the data of person %s made: %s bytes", export.user_id, size)


def _one_reading() -> AbstractContextManager[object]:
    """PostgreSQL reads long lists by a cursor, which a pool of connections keeps for one transaction only. SQLite needs none,
    and a transaction would keep all others from writing."""
    return transaction.atomic() if connection.vendor == "postgresql" else nullcontext()


def _write(heap: IO[bytes], user: User, *, at: datetime) -> None:
    with (
        translation.override(user.language),
        timezone.override(user.zone),
        zipfile.ZipFile(heap, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        told: list[tuple[str, str | Promise]] = []
        for part in traces.parts():
            with archive.open(f"{part.name}.json", "w", force_zip64=True) as entry:
                _write_rows(entry, part.rows(user))
            told.append((f"{part.name}.json", part.about))
            if part.files and _write_files(archive, part.name, part.files(user)):
                told.append((f"{part.name}/", _("The files that belong to it.")))
        archive.writestr("README.txt", _read_me(user, told, at=at))
    heap.seek(0, 2)


def _write_rows(entry: IO[bytes], rows: Iterable[traces.Row]) -> None:
    """A JSON array, row by row."""
    entry.write(b"[")
    for number, row in enumerate(rows):
        text = json.dumps(row, cls=_Encoder, ensure_ascii=False)
        entry.write(f"{',' if number else ''}\n{text}".encode())
    entry.write(b"\n]\n")


class _Encoder(DjangoJSONEncoder):
    """Times as ISO 8601 to the second in UTC, words in the reader's language."""

    def default(self, o: Any) -> Any:
        return str(o) if isinstance(o, Promise) else super().default(o)


def _write_files(archive: zipfile.ZipFile, folder: str, found: Iterable[traces.File]) -> int:
    """Copy files in pieces; how many there were. One that is gone since its row was read is left out."""
    count = 0
    for file in found:
        try:
            source = file.storage.open(file.path, "rb")
        except FileNotFoundError:
            logger.warning("a file of an export is not there: %s", file.path)
            continue
        with source, archive.open(f"{folder}/{file.name}", "w", force_zip64=True) as entry:
            shutil.copyfileobj(source, entry, _PIECE)
        count += 1
    return count


def _read_me(user: User, told: Iterable[tuple[str, str | Promise]], *, at: datetime) -> str:
    made = {"name": user.display_name, "time": dates.day_and_time(timezone.localtime(at))}
    lines = [
        _("Your data at WibeStore"),
        _("%(name)s, made on %(time)s.") % made,
        "",
        _(
            "The .json files are lists that programs and every text editor can read. Times are in UTC, amounts are decimals "
            "of their currency."
        ),
        "",
    ]
    for name, about in told:
        lines += [name, f"    {about}"]
    lines += [
        "",
        _("What is not in here, and why:"),
        _(
            "- Passwords, codes, keys and log-ins of accounts for sale: nobody should carry them around in a file."
        ),
        _("- Numbers of cards beyond the last four digits."),
        _("- What belongs to others: of them you find what you could see on the site, such as a name."),
        _("- What staff noted while working, and technical logs."),
        "",
    ]
    # Notepad reads what begins with this mark as UTF-8, and breaks lines at these two signs only.
    return "\ufeff" + "\r\n".join(lines)


# --- Clearing up ------------------------------------------------------------------------------------


def clear_up(*, at: datetime) -> int:
    """Delete the files of those that are too old, and give those up that nobody could make for a day. How many."""
    over = DataExport.objects.filter(status=Status.READY, expires_at__lte=at)
    lost = DataExport.objects.filter(status=Status.QUEUED, created_at__lte=at - settings.DATA_EXPORT_EVERY)
    with transaction.atomic():
        rows = list((over | lost).select_for_update().order_by("pk")[:500])
        for row in rows:
            files.discard([(STORAGE, row.file)] if row.file else [])
            row.status = Status.EXPIRED if row.status == Status.READY else Status.FAILED
            row.file = ""
            row.save(update_fields=["status", "file"])
    return len(rows)
