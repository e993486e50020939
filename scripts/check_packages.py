"""Ask pip-audit whether a pinned package has a known weakness. Exits with 1 if so, with 75 where its database cannot be asked."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120
CANNOT_ASK = 75  # EX_TEMPFAIL


def main() -> int:
    command = [
        str(Path(sys.executable).with_name("pip-audit")),
        "--progress-spinner",
        "off",
        "--no-deps",
        "--disable-pip",
    ]
    command += ["--timeout", "10", "--format", "json", "--requirement", "requirements/dev.txt"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        packages = json.loads(done.stdout)["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        print("the database of weaknesses does not answer")
        return CANNOT_ASK
    return verdict(packages)


def verdict(packages: list[dict]) -> int:
    """What pip-audit's answer means. A package that it could not look up proves nothing."""
    weak = [(one["name"], one["version"], fault) for one in packages for fault in one.get("vulns", [])]
    for name, version, fault in weak:
        print(
            f"{name} {version}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version yet'}"
        )
    if weak:
        return 1
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    if unknown:
        print(f"{len(unknown)} of {len(packages)} packages could not be looked up")
        return CANNOT_ASK
    return 0


if __name__ == "__main__":
    sys.exit(main())
