"""What sockets and event streams share: the reader, the topics, an outbox that a slow reader cannot fill, an end."""

import asyncio
import contextlib
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, Self

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.utils import timezone, translation

from marketplace.core.live import limits, watch
from marketplace.core.live.codes import Close
from marketplace.core.live.endings import person_group
from marketplace.core.live.reader import Reader
from marketplace.core.live.threads import in_thread
from marketplace.core.logs import request_id
from marketplace.core.realtime import group

logger = logging.getLogger("marketplace.live")

# So many messages wait for one reader at most. Then they are dropped and the reader is told to fetch anew: whoever does not
# read costs no more than this.
OUTBOX = 100
# A reader that takes nothing for so long is gone, or wishes us ill.
SEND_SECONDS = 60.0
_FIT = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class Connection(AsyncConsumer):
    """One reader's connection. Subclasses say how things are written (`write`, `closing`) and what a resync looks like.

    Whatever is sent goes through `put`: it never waits, and what is put arrives in that order. The task that writes exists
    only while there is something to write, so an idle connection costs nothing but its memory.
    """

    kind: ClassVar[str] = ""
    reader: Reader

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        given = next((value for name, value in scope.get("headers", []) if name == b"x-request-id"), b"")
        name = given.decode("latin-1")
        # Each connection runs in a task of its own, so this is the id of all that it logs.
        request_id.set(name if _FIT.fullmatch(name) else uuid.uuid4().hex)
        self.reader = scope["reader"]
        # Lists: two topics, and an outbox that is nearly always empty; an empty deque holds 64 places.
        self._topics: list[str] = []
        self._outbox: list[str | Close] = []
        self._pump: asyncio.Task[None] | None = None
        self._since = time.monotonic()
        self._has_place = self._has_left = False
        self._timer: asyncio.TimerHandle | None = None
        self._ended: int | None = None
        self.sent = self.received = self.dropped = 0
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # As in the library, less a trip to the database's thread before every message: `call` sees to connections.
        await getattr(self, get_handler_name(message))(message)

    # --- Coming and going ---------------------------------------------------------------------------

    def take_place(self) -> str:
        """Count this connection. Returns "" or which bound (`limits.enter`) has no room for it."""
        full = limits.enter(self.reader)
        self._has_place = not full
        return full

    async def begin(self) -> None:
        """From here on the connection is watched, and hears when its sign-in ends."""
        watch.add(self)
        self.end_in_time()
        if self.reader.is_signed_in:
            await self._join(person_group(self.reader.user.pk))
        logger.info("connected: %s", self._described())

    def end_in_time(self) -> None:
        """Close when the access token behind the ticket runs out."""
        if self._timer is not None:
            self._timer.cancel()
        if self.reader.grant is not None:
            left = max(0.0, self.reader.grant.until - time.time())
            self._timer = asyncio.get_running_loop().call_later(left, self.end, Close.NOT_AUTHENTICATED)

    async def _leave(self) -> None:
        self._has_left = True
        watch.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._pump is not None:
            self._pump.cancel()
        for name in list(self._topics):
            with contextlib.suppress(Exception):  # Redis may be away: its subscription went with it
                await self.channel_layer.group_discard(name, self.channel_name)
        if self._has_place:
            limits.leave(self.reader)
            self._has_place = False
        logger.info(
            "disconnected: %s closed=%s after=%.0fs in=%d out=%d dropped=%d",
            self._described(), self._ended, time.monotonic() - self._since, self.received, self.sent, self.dropped,
        )  # fmt: skip

    def _described(self) -> str:
        """For the log: no query, no cookie, no ticket."""
        who = self.reader.user.pk if self.reader.is_signed_in else "-"
        return (
            f"{self.kind} {self.scope.get('path', '')} person={who} by={self.reader.came_by} "
            f"from={self.reader.address or '-'}"
        )

    def ended_with(self, code: int | None) -> None:
        """Note the code for the log, unless an earlier one told why."""
        if self._ended is None:
            self._ended = code

    @property
    def is_ending(self) -> bool:
        return self._has_left or self._ended is not None

    # --- Topics -------------------------------------------------------------------------------------

    async def listen(self, topic: str) -> None:
        """Hear what `realtime.publish` says on this topic. Whether the reader may is the caller's to know."""
        await self._join(group(topic))

    async def stop_listening(self, topic: str) -> None:
        name = group(topic)
        if name in self._topics:
            self._topics.remove(name)
        await self.channel_layer.group_discard(name, self.channel_name)

    async def _join(self, name: str) -> None:
        if name not in self._topics:
            self._topics.append(name)
        await self.channel_layer.group_add(name, self.channel_name)

    async def realtime_event(self, message: dict[str, Any]) -> None:
        """Channel layer event {"type": "realtime.event", "topic", "event", "payload"}, see `core.realtime`."""
        if self.is_ending:
            return
        try:
            await self.heard(message["topic"], message["event"], message["payload"])
        except Exception:
            # One event that cannot be shown must not take the connection with it; the page is told to look for itself.
            logger.exception("event %s on %s was not shown", message.get("event"), message.get("topic"))
            self.put(self.resync())

    async def heard(self, topic: str, event: str, payload: dict[str, Any]) -> None:
        """Tell the reader. Payloads are small and the same for all listeners; what only this reader may see is read here."""
        raise NotImplementedError

    # --- The sign-in --------------------------------------------------------------------------------

    async def live_recheck(self, _message: dict[str, Any]) -> None:
        await watch.check([self])

    async def live_ended(self, message: dict[str, Any]) -> None:
        if message["sign_in"] == self.reader.sign_in:
            self.end(Close.NOT_AUTHENTICATED)

    # --- Sending ------------------------------------------------------------------------------------

    def put(self, item: str) -> None:
        """Send when the reader takes it. Never waits."""
        if self.is_ending:
            return
        if len(self._outbox) >= OUTBOX:
            self.dropped += len(self._outbox) + 1
            self._outbox.clear()
            item = self.resync()
        self._outbox.append(item)
        self._start_pump()

    def end(self, code: Close) -> None:
        """Close, once what was put before has gone out. Saying it twice changes nothing."""
        if self.is_ending:
            return
        self._ended = code
        self._outbox.append(code)
        self._start_pump()

    @classmethod
    async def beat_all(cls, some: list[Self]) -> None:
        """All connections of this class in this process, every `watch.BEAT` seconds: what is better done for many at once."""
        for one in some:
            one.beat()

    def beat(self) -> None:
        """A sign of life. Sockets have pings for that."""

    def resync(self) -> str:
        """What tells the reader that something was left out and that they have to fetch anew."""
        raise NotImplementedError

    async def write(self, item: str) -> None:
        """Bring one item to the server's connection, waiting while its buffer is full."""
        raise NotImplementedError

    async def closing(self, code: Close) -> None:
        raise NotImplementedError

    def _start_pump(self) -> None:
        if self._pump is None:
            self._pump = asyncio.create_task(self._empty())

    async def _empty(self) -> None:
        try:
            while self._outbox:
                item = self._outbox.pop(0)
                async with asyncio.timeout(SEND_SECONDS):
                    if isinstance(item, Close):
                        await self.closing(item)
                        return
                    await self.write(item)
                self.sent += 1
        except TimeoutError:
            self._outbox.clear()
            self.ended_with(Close.TOO_SLOW)
            # The buffer is full, so no close frame would arrive: end the application, and the server drops the line.
            await self.channel_layer.send(self.channel_name, {"type": "live.cut"})
        except OSError:
            self._outbox.clear()  # the reader left; the server tells us in a moment
        finally:
            self._pump = None

    async def live_cut(self, _message: dict[str, Any]) -> None:
        raise StopConsumer

    # --- Work ---------------------------------------------------------------------------------------

    async def call[Result](self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Run ordinary code (queries, templates) in a thread, in the reader's language and time zone."""

        def run() -> Result:
            with translation.override(self.reader.language), timezone.override(self.reader.zone):
                return function(*args, **kwargs)

        result: Result = await in_thread(run)()
        return result
