"""Websockets: JSON in; JSON out for programs, HTML fragments for browsers."""

import json
import logging
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from marketplace.core.errors import DomainError
from marketplace.core.live import pace
from marketplace.core.live.codes import Close, close_code
from marketplace.core.live.connection import Connection
from marketplace.core.live.door import redeemed
from marketplace.core.live.threads import in_thread

logger = logging.getLogger("marketplace.live")

type Data = dict[str, Any]
type Handler = Callable[[Any, Data], Awaitable[None]]

# Bytes of one frame. The servers themselves cut at twice this (1009), before it lies in our memory.
FRAME_BYTES = 32 * 1024
# The housekeeping of a connection.
_FREE = frozenset({"ping", "renew"})
_EVENT = re.compile(r"[a-z][a-z_]{0,39}\Z")


class LiveSocket(Connection):
    """The base of all websocket consumers. Only signed-in people get in.

    A subclass has:

    - `async enter()`: may this person be here? Raise Http404 (or a model's DoesNotExist) or PermissionDenied if not; else
      `await self.listen(topic)` for what is followed, and `self.tell(…)` for what is told at the beginning.
    - `async on_<event>(data)` for each event a client may send. A `DomainError` or `Http404` raised there is told to the
      client as an error. Events named in `uncounted` do not count towards the 50 messages a minute.
    - `html(event, data)`: the fragment that shows an event to a browser, rendered in a thread in the reader's language;
      "" for what a browser is not told. Programs get {"event", "data"}.
    - `async heard(topic, event, payload)`: what to do with a published event. As it is, the event is told.
    """

    kind = "ws"
    uncounted: ClassVar[frozenset[str]] = frozenset()
    _handlers: ClassVar[dict[str, Handler]] = {}
    # Frames of whatever kind that one socket may send in a minute; what is more is dropped, and that is said once.
    flood: ClassVar[int] = 300

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = (name for name in dir(cls) if name.startswith("on_"))
        cls._handlers = {name.removeprefix("on_"): getattr(cls, name) for name in names}

    # --- For subclasses -----------------------------------------------------------------------------

    async def enter(self) -> None:
        raise NotImplementedError

    def html(self, event: str, data: Data) -> str:  # noqa: ARG002
        return ""

    async def heard(self, topic: str, event: str, payload: Data) -> None:  # noqa: ARG002
        await self.tell(event, payload)

    async def left(self) -> None:
        """The socket is closed; called only if `enter` let the person in."""

    @property
    def has_entered(self) -> bool:
        """Whether `enter` has let the person in and the socket is still open."""
        return self._has_entered

    @property
    def wants_html(self) -> bool:
        """Browsers (a session) get HTML, programs (a ticket) JSON, unless the address says `?format=json` or `html`."""
        return self._wants_html

    async def tell(self, event: str, data: Data) -> None:
        """Send an event, rendered for this reader."""
        if not self.wants_html:
            self.put(_dumped(event, data))
        elif fragment := await self.call(self.html, event, data):
            self.put(fragment)

    async def tell_error(
        self, code: str, message: str, *, retry_after: int = 0, reply_to: Data | None = None, **details: Any
    ) -> None:
        """Tell what was refused and why; the connection stays. A browser is shown a toast unless `html` has "error".

        `reply_to` is the data of the message that is refused: its `client_id`, if any, comes back in the error.
        """
        data: Data = {"code": code, "message": str(message)}
        if retry_after:
            data["retry_after"] = retry_after
        if details:
            data["details"] = details
        if reply_to and isinstance(reply_to.get("client_id"), str):
            data["client_id"] = reply_to["client_id"][:64]
        if not self.wants_html:
            self.put(_dumped("error", data))
            return
        self.put(await self.call(lambda: self.html("error", data) or _toast(str(message))))

    # --- ASGI ---------------------------------------------------------------------------------------

    async def websocket_connect(self, _message: Data) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        chosen = query.get("format", [""])[0]
        self._wants_html = chosen == "html" or (chosen != "json" and self.reader.came_by == "session")
        self._has_entered = False
        self._minute = self._in_minute = 0
        await self.send({"type": "websocket.accept"})  # so that the client can read the code of a refusal
        if not self.reader.is_signed_in:
            self.end(Close.NOT_AUTHENTICATED)
            return
        if full := self.take_place():
            self.end(Close.TOO_MANY if full == "person" else Close.TRY_LATER)
            return
        await self.begin()
        try:
            await self.enter()
        except (Http404, ObjectDoesNotExist, PermissionDenied) as error:
            self.end(cast("Close", close_code(error)))
            return
        self._has_entered = True

    async def websocket_receive(self, message: Data) -> None:
        if self.is_ending:
            return
        self.received += 1
        event, data, wrong = _read(message)
        if not await self._has_pace(event, data):
            return
        if wrong:
            await self.tell_error(*await self.call(_words_for, wrong))
            return
        handler = self._handlers.get(event)
        if handler is None:
            await self.tell_error(*await self.call(_words_for, "unknown_event"), reply_to=data)
            return
        try:
            await handler(self, data)
        except DomainError as error:
            words = await self.call(str, error.message)
            details = getattr(error, "details", None) or {}
            retry_after = getattr(error, "retry_after", None) or 0
            await self.tell_error(error.code, words, retry_after=retry_after, reply_to=data, **details)
        except (Http404, ObjectDoesNotExist):
            await self.tell_error(*await self.call(_words_for, "not_found"), reply_to=data)
        except PermissionDenied:
            await self.tell_error(*await self.call(_words_for, "permission_denied"), reply_to=data)
        except Exception:
            logger.exception("%s on %s failed", event, self.scope.get("path"))
            await self.tell_error(*await self.call(_words_for, "server_error"), reply_to=data)

    async def websocket_disconnect(self, message: Data) -> None:
        self.ended_with(message.get("code"))
        if self._has_entered:
            self._has_entered = False
            await self.left()
        raise StopConsumer

    async def write(self, item: str) -> None:
        await self.base_send({"type": "websocket.send", "text": item})

    async def closing(self, code: Close) -> None:
        await self.base_send({"type": "websocket.close", "code": int(code)})

    def resync(self) -> str:
        # JSON for browsers too: app.js takes it out before htmx sees it, and lets the page fetch anew.
        return _dumped("resync", {})

    # --- Events that every socket knows -------------------------------------------------------------

    async def on_ping(self, _data: Data) -> None:
        """A program's own sign of life; browsers need none."""
        if not self.wants_html:
            self.put(_dumped("pong", {}))

    async def on_renew(self, data: Data) -> None:
        """{"ticket"}: a program with a new access token stays, instead of being closed when the old one runs out."""
        ticket = data.get("ticket")
        reader = None
        if isinstance(ticket, str) and self.reader.grant is not None:
            reader = await in_thread(redeemed)(ticket, address=self.reader.address)
        if reader is None or reader.user.pk != self.reader.user.pk:
            await self.tell_error(*await self.call(_words_for, "ticket_not_valid"))
            return
        self.reader = reader
        self.end_in_time()
        self.put(_dumped("renewed", {}))

    # --- Pace ---------------------------------------------------------------------------------------

    async def _has_pace(self, event: str, data: Data) -> bool:
        """Count this message; say so when it is one too many."""
        now = pace.clock()
        minute = int(now // pace.WINDOW)
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        self._in_minute += 1
        wait = 0
        if self._in_minute > self.flood:
            if self._in_minute > self.flood + 1:
                return False
            wait = math.ceil(pace.WINDOW - now % pace.WINDOW)
        elif event not in self.uncounted and event not in _FREE:
            wait = await in_thread(pace.spend)(self.reader.user.pk)
        if wait:
            code, words = await self.call(_words_for, "too_many_requests")
            await self.tell_error(code, words, retry_after=wait, reply_to=data)
        return not wait


def _read(message: Data) -> tuple[str, Data, str]:
    """The event and its data, or what is wrong with the frame.

    Programs send {"event", "data": {…}}; htmx sends a form's fields beside `event`, and headers that are of no use here.
    """
    text = message.get("text")
    if text is None:
        return "", {}, "text_only"
    if len(text) > FRAME_BYTES or len(text.encode(errors="surrogatepass")) > FRAME_BYTES:
        return "", {}, "too_large"
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return "", {}, "bad_request"
    event = found.get("event") if isinstance(found, dict) else None
    if not isinstance(event, str) or not _EVENT.match(event):
        return "", {}, "bad_request"
    data = found.get("data")
    if data is None:
        data = {name: value for name, value in found.items() if name not in {"event", "data", "HEADERS"}}
    return (event, data, "") if isinstance(data, dict) else (event, {}, "bad_request")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _words_for(code: str) -> tuple[str, str]:
    """A code, and what it says to people in the language of now."""
    return code, {
        "text_only": _("Only text can be sent here."),
        "too_large": _("The message is too large."),
        "bad_request": _("This message cannot be read."),
        "unknown_event": _("This socket does not know what was sent."),
        "ticket_not_valid": _("The ticket is not valid."),
        "not_found": _("What this is about is not there any more."),
        "permission_denied": _("This is not for you to do."),
        "too_many_requests": _("Too many messages. Wait a little, then try again."),
        "server_error": _("Something broke on our side, and it is on record."),
    }[code]


def _dumped(event: str, data: Data) -> str:
    return json.dumps({"event": event, "data": data}, cls=DjangoJSONEncoder, ensure_ascii=False)


def _toast(text: str) -> str:
    return render_to_string("components/live_toast.html", {"tone": "danger", "title": text})
