"""The channel layer of the one-process set-up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from channels.layers import InMemoryChannelLayer


class ThreadSafeInMemoryLayer(InMemoryChannelLayer):
    """The in-memory layer, for messages that come from other threads too (request threads, the embedded worker).

    The stock layer's queues belong to one event loop: a message put there from another thread waits until that loop
    happens to wake. So a send hops to the loop where the receivers wait.
    """

    _home: asyncio.AbstractEventLoop | None = None

    async def receive(self, channel: str) -> dict[str, Any]:
        self._home = asyncio.get_running_loop()
        return await super().receive(channel)

    async def _hop(self, send: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        home = self._home
        if home is None or home is asyncio.get_running_loop() or not home.is_running():
            await send(*args)
            return
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(send(*args), home))

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        await self._hop(super().send, channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._hop(super().group_send, group, message)
