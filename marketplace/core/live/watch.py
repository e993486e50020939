"""One look at all connections of a process, again and again: who may not stay any more, and who needs a sign of life.

One task per event loop, however many connections there are. What is announced (`endings`) ends at once; this finds the
rest: sessions that ran out, rows changed by hand, a word that the channel layer lost.
"""

import asyncio
import logging
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from django.conf import settings

from marketplace.core.live.codes import Close
from marketplace.core.live.reader import gone
from marketplace.core.live.threads import in_thread

if TYPE_CHECKING:
    from marketplace.core.live.connection import Connection

logger = logging.getLogger("marketplace.live")

BEAT = 15.0  # seconds; proxies cut what is silent for a minute
_TOGETHER = 200


class _Watch:
    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.task: asyncio.Task[None] | None = None


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


def add(connection: "Connection") -> None:
    watch = _watches.setdefault(asyncio.get_running_loop(), _Watch())
    watch.connections.add(connection)
    if watch.task is None or watch.task.done():
        watch.task = asyncio.create_task(_keep(watch), name="live watch")


def discard(connection: "Connection") -> None:
    watch = _watches.get(asyncio.get_running_loop())
    if watch is None:
        return
    watch.connections.discard(connection)
    if not watch.connections and watch.task is not None:
        watch.task.cancel()
        watch.task = None


async def check(connections: "list[Connection]") -> None:
    """End those whose reader may not stay."""
    for start in range(0, len(connections), _TOGETHER):
        some = connections[start : start + _TOGETHER]
        dead = {id(reader) for reader in await in_thread(gone)([one.reader for one in some])}
        for one in some:
            if id(one.reader) in dead:
                one.end(Close.NOT_AUTHENTICATED)


async def check_all() -> None:
    """Look at every connection of this event loop."""
    watch = _watches.get(asyncio.get_running_loop())
    if watch is not None:
        await check(list(watch.connections))


async def beat_of_all() -> None:
    """Signs of life in this event loop, class by class. One class that cannot give its own keeps no other from it."""
    watch = _watches.get(asyncio.get_running_loop())
    kinds: dict[type[Connection], list[Connection]] = {}
    for one in list(watch.connections) if watch else []:
        kinds.setdefault(type(one), []).append(one)
    for kind, some in kinds.items():
        try:
            await kind.beat_all(some)
        except Exception:
            logger.exception("%s gave no sign of life", kind.__name__)


async def _keep(watch: _Watch) -> None:
    silent = 0.0
    while True:
        await asyncio.sleep(BEAT)
        await beat_of_all()
        silent += BEAT
        if silent < settings.LIVE_RECHECK_SECONDS:
            continue
        silent = 0.0
        try:
            await check(list(watch.connections))
        except Exception:
            # A database that is away for a moment throws nobody out; the next round asks again.
            logger.exception("open connections were not checked")
