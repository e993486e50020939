"""What `manage.py check` says of the settings beside Django's own."""

from typing import Any

from django.conf import settings
from django.core import checks

from marketplace.core import scanning


@checks.register(checks.Tags.security)
def scanner_has_an_address(**_asked: Any) -> list[checks.CheckMessage]:
    if scanning.is_fit(settings.CLAMD_URL):
        return []
    return [
        checks.Error(
            "CLAMD_URL is no address of a virus scanner: every file would be refused.",
            hint="tcp://HOST:PORT, unix:///PATH, or none.",
            id="core.E001",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def files_are_scanned(**_asked: Any) -> list[checks.CheckMessage]:
    if settings.CLAMD_URL:
        return []
    return [
        checks.Warning(
            "CLAMD_URL is empty: nothing scans the files that people send for viruses.",
            hint="Set it to where clamd is (docs/deployment.md), or to none to say that this is meant.",
            id="core.W001",
        )
    ]
