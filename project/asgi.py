"""Pages, sockets and streams over ASGI: `manage.py serve` and the processes behind /ws/ and /live/ use it."""

import os
from typing import cast

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.development")

pages = get_asgi_application()

# Only now: consumers import models.
from marketplace.core.live.door import Application  # noqa: E402
from marketplace.core.live.routing import pages_with_stream, sockets  # noqa: E402
from marketplace.listings.urls import live_urls as listings  # noqa: E402
from marketplace.messaging.urls import live_urls as messaging  # noqa: E402
from marketplace.notifications.urls import live_urls as notifications  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": pages_with_stream(cast("Application", pages)),
        "websocket": sockets([*notifications, *listings, *messaging]),
    }
)
