"""From the sockets of the apps to one ASGI application."""

from collections.abc import Iterable
from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from marketplace.core.live.codes import Close
from marketplace.core.live.door import Application, Door, Receive, Scope, Send


def sockets(routes: Iterable[Any]) -> Application:
    """All websockets behind the door; an address that nobody knows is closed with 4404."""
    nothing: Any = _nothing  # an application, where Django's types expect a view
    application: Application = Door(URLRouter([*routes, re_path(r"", nothing)]))
    return application


async def _nothing(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": int(Close.NOT_FOUND)})
