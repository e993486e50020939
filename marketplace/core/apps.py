from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_out


class CoreConfig(AppConfig):
    name = "marketplace.core"

    def ready(self) -> None:
        # Importing the first two registers what is theirs.
        from marketplace.core import checks, lookups  # noqa: F401, I001
        from marketplace.core import health, metrics, outside, scanning

        if settings.OUTBOUND_GUARD:
            outside.stand_guard()

        health.register_detail("scanner", scanning.state)
        metrics.register(scanning.gauges)
        # Every way of signing out of a browser goes through Django's, which says so before it forgets the session.
        user_logged_out.connect(_close_what_is_open, dispatch_uid="live")


def _close_what_is_open(request: Any, user: Any, **_sent: Any) -> None:
    from marketplace.core.live import endings

    key = getattr(getattr(request, "session", None), "session_key", None)
    if user is not None and key:
        endings.end_session(user.pk, key)
