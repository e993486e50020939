"""Pages and sockets over ASGI: `manage.py serve` and the /ws/ processes use it."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.development")

pages = get_asgi_application()

# Only now: consumers import models.
from marketplace.core.live.routing import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": pages, "websocket": sockets([])})
