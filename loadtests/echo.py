"""What `make sockets` measures against: the least that Channels does for a message, and nothing of ours.

A socket joins the group that its address names, and what it receives is sent to that group. No database, no sign-in, no
Origin, no limits, no rendering. The channel layer is the one that the project would take for the same REDIS_URL.

    uvicorn loadtests.echo:application
"""

import os

import django
from django.conf import settings

REDIS_URL = os.environ.get("REDIS_URL", "")


def layer() -> dict[str, object]:
    """The project's own, see CHANNEL_LAYERS in project/settings/base.py."""
    if not REDIS_URL:
        return {
            "BACKEND": "marketplace.core.layers.ThreadSafeInMemoryLayer",
            "CONFIG": {"capacity": 10_000},
        }
    address = f"{REDIS_URL.rpartition('/')[0]}/2"
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": address, "socket_timeout": None}],
            "capacity": 10_000,
            "prefix": "echo",
        },
    }


settings.configure(CHANNEL_LAYERS={"default": layer()}, USE_TZ=True)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path


class Echo(AsyncWebsocketConsumer):
    """Sends what it receives to everyone in its group."""

    async def connect(self) -> None:
        self.room = self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:  # noqa: ARG002
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        await self.channel_layer.group_send(self.room, {"type": "said", "text": text_data})

    async def said(self, message: dict[str, str]) -> None:
        await self.send(message["text"])


application = ProtocolTypeRouter(
    {"websocket": URLRouter([re_path(r"^ws/chat/(?P<room>[0-9a-f-]+)/$", Echo.as_asgi())])}
)
