"""Every string is translated: no catalogue lacks a message of the source, is empty, fuzzy or breaks a placeholder.

Messages are collected from the source with Django's own extraction when gettext is installed (xgettext); the catalogues
themselves are always checked.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("uz", "ru")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")
problems: list[str] = []


def catalogue(path: Path, language: str):
    with path.open("rb") as file:
        return read_po(file, locale=language)


def placeholders(text: str) -> list[str]:
    return sorted(match.group(0) for match in PLACEHOLDER.finditer(text))


def collect() -> set | None:
    """The messages of the source, or None where xgettext is missing."""
    if not shutil.which("xgettext"):
        return None
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / "tree"
        names = subprocess.run(
            [
                "git",
                "ls-files",
                "-co",
                "--exclude-standard",
                "manage.py",
                "project",
                "marketplace",
                "tasks",
                "templates",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\n")
        for name in filter(None, names):
            if (ROOT / name).is_file() and "/tests/" not in name:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        (copy / "locale").mkdir()
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "-l", "en", "--no-location", "-v", "0"],
            cwd=copy,
            check=True,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "", "PYTHONPATH": ""},
        )
        found = catalogue(copy / "locale/en/LC_MESSAGES/django.po", "en")
        return {(message.context, message.id) for message in found if message.id}


source = collect()
if source is None:
    print(
        "xgettext is not installed: the catalogues were checked, the source was not compared", file=sys.stderr
    )
for language in LANGUAGES:
    path = ROOT / f"locale/{language}/LC_MESSAGES/django.po"
    there = set()
    for message in catalogue(path, language):
        if not message.id:
            continue
        there.add((message.context, message.id))
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.fuzzy:
            problems.append(f"{language}: fuzzy: {ids[0]!r}")
        if not all(strings):
            problems.append(f"{language}: not translated: {ids[0]!r}")
        elif (len(ids) == 1 and placeholders(ids[0]) != placeholders(strings[0])) or (
            len(ids) > 1 and any(set(placeholders(string)) - set(placeholders(ids[1])) for string in strings)
        ):
            problems.append(f"{language}: placeholders differ: {ids[0]!r}")
    if source is not None:
        problems += [
            f"{language}: not in the catalogue: {message!r}"
            for _context, message in sorted(source - there, key=str)
        ]
print("\n".join(problems))
sys.exit(bool(problems))
