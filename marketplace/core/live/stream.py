"""The event stream of a page (SSE): one per page, with everything that the page follows."""

import asyncio
import json
import secrets
from typing import Any
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from django.core.serializers.json import DjangoJSONEncoder

from marketplace.core.live import topics
from marketplace.core.live.codes import Close
from marketplace.core.live.connection import Connection
from marketplace.core.live.topics import Frame

PATH = "/live/"
# Seconds over which visitors of one page hear of its change: they all come back for it, and one after another is soon enough.
SPREAD = 2.0
# A page follows what it shows; more than this is no page of ours.
_TOPICS = 30
_chance = secrets.SystemRandom()
# Heard by pages that were made for somebody (`in=1`): they take themselves away. "now" when it ends, "before" when it has ended.
_SIGNED_OUT = "signed_out"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class LiveStream(Connection):
    """GET /live/?on=<topic>&on=…: for signed-in readers their own events too. Never ends by itself while the sign-in holds.

    503 when this process is full, 429 when the person or the network has enough open; both with Retry-After. What the reader
    may not see is simply not followed. When the sign-in ends the stream says so (`signed_out`) and ends, and the next try is a
    visitor's; a page that was made for somebody and comes back too late to hear it (`in=1`) hears it first.
    """

    kind = "sse"

    async def http_request(self, _message: dict[str, Any]) -> None:
        if self.scope["method"] != "GET":
            await self._refuse(405, (b"allow", b"GET"))
            return
        if full := self.take_place():
            status = 503 if full in {"all", "visitors"} else 429
            await self._refuse(status, (b"retry-after", str(20 + secrets.randbelow(40)).encode()))
            return
        # Before anything else can write: from `begin` on, the watch may.
        await self.base_send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        self.put(": hello\n\n")
        await self.begin()
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        if "in" in query and not self.reader.is_signed_in:
            self.put(_written(Frame(_SIGNED_OUT, "before")))
        wanted = query.get("on", [])[:_TOPICS]
        # First listen, then look: what changes in between is told twice rather than not at all.
        followed, missed = await self.call(topics.allowed, self.reader, wanted)
        for topic in followed:
            await self.listen(topic)
        if followed:
            _followed, missed = await self.call(topics.allowed, self.reader, wanted)
        frames = missed
        if self.reader.is_signed_in:
            await self.listen(f"user:{self.reader.user.pk}")
            frames = await self.call(topics.greetings, self.reader, self._last_id(query)) + missed
        for frame in frames:
            self.put(_written(frame))

    def _last_id(self, query: dict[str, list[str]]) -> str:
        """From the header of a browser's own reconnect, or from the address that app.js makes for its own."""
        headers = dict(self.scope.get("headers", []))
        return headers.get(b"last-event-id", b"").decode("latin-1") or query.get("last", [""])[0]

    async def _refuse(self, status: int, *headers: tuple[bytes, bytes]) -> None:
        self.ended_with(status)
        sent = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers]
        await self.base_send({"type": "http.response.start", "status": status, "headers": sent})
        await self.base_send({"type": "http.response.body", "body": b""})
        raise StopConsumer

    async def http_disconnect(self, _message: dict[str, Any]) -> None:
        self.ended_with(Close.NORMAL)
        raise StopConsumer

    async def heard(self, topic: str, event: str, payload: dict[str, Any]) -> None:  # noqa: ARG002
        how = topics.how_to_show(event)
        if how is None:
            frame = _written(Frame(event, json.dumps(payload, cls=DjangoJSONEncoder)))
            if self.reader.is_signed_in:
                self.put(frame)
            else:
                asyncio.get_running_loop().call_later(_chance.uniform(0, SPREAD), self.put, frame)
            return
        shown = await self.call(how, self.reader, payload)
        if shown is not None:
            self.put(_written(shown))

    def beat(self) -> None:
        # Only while nothing waits: a reader that does not read needs no sign of life, but its time runs.
        if not self.is_ending and not self._outbox:
            self.put(": beat\n\n")

    def resync(self) -> str:
        return _written(Frame("resync"))

    async def write(self, item: str) -> None:
        await self.base_send({"type": "http.response.body", "body": item.encode(), "more_body": True})

    async def closing(self, code: Close) -> None:
        last = _written(Frame(_SIGNED_OUT, "now")) if code is Close.NOT_AUTHENTICATED else ""
        await self.base_send({"type": "http.response.body", "body": last.encode()})
        await self.channel_layer.send(self.channel_name, {"type": "live.cut"})


def _written(frame: Frame) -> str:
    """As the standard wants it: every line of the data by itself, and nothing in name or id that could end a line."""
    lines = [f"event: {frame.event}"]
    if frame.id:
        lines.append(f"id: {frame.id}")
    lines += [f"data: {line}" for line in frame.data.splitlines() or [""]]
    return "\n".join(lines) + "\n\n"
