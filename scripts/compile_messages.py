"""Compile locale/*/LC_MESSAGES/*.po to .mo, so that no gettext programs are needed to run."""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

root = Path(__file__).resolve().parent.parent
for source in sorted(root.glob("locale/*/LC_MESSAGES/*.po")):
    with source.open("rb") as po:
        catalogue = read_po(po, locale=source.parts[-3], abort_invalid=True)
    with source.with_suffix(".mo").open("wb") as mo:
        write_mo(mo, catalogue)
    print(f"compiled {source.relative_to(root)}", file=sys.stderr)
