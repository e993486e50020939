"""What the lint makes of pip-audit's answer: silence is no proof."""

import importlib.util

import pytest
from django.conf import settings

SPEC = importlib.util.spec_from_file_location(
    "check_packages", settings.BASE_DIR / "scripts" / "check_packages.py"
)
check_packages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_packages)

SOUND = {"name": "sound", "version": "1", "vulns": []}
WEAK = {"name": "weak", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code"),
    [([SOUND], 0), ([SOUND, WEAK], 1), ([SOUND, UNKNOWN], 75), ([UNKNOWN, WEAK], 1)],
)
def test_only_packages_that_were_all_looked_up_and_found_sound_pass(packages, code):
    assert check_packages.verdict(packages) == code
