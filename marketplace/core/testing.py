"""What tests share: running things at the same moment, running the jobs that are due, and holding open sockets."""

import json
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from importlib import import_module
from typing import Any, Self
from urllib.parse import urlencode

from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from celery import current_app
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from marketplace.core import jobs
from marketplace.core.models import Job


def in_parallel(*calls: Callable[[], Any]) -> list[Any]:
    """Call all at the same moment, each in its own thread and connection. Returns results or exceptions, in order."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            results[number] = call()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a call did not end: deadlock?"  # nosec B101
    return results


def run_jobs(*, rounds: int = 5) -> list[str]:
    """Run every job that is due, and those they enqueue. Returns the names of the tasks that ran."""
    current_app.loader.import_default_modules()  # a worker does this when it starts
    ran: list[str] = []
    for _round in range(rounds):
        due = list(Job.objects.filter(status=Job.Status.PENDING, run_at__lte=timezone.now()).order_by("pk"))
        if not due:
            break
        for job in due:
            jobs.run(job.pk, at=timezone.now())
            ran.append(job.task)
    return ran


# --- Sockets and streams ----------------------------------------------------------------------------

# Seconds for what arrives within milliseconds, on a machine that is busy.
PATIENCE = 10
_HOST = b"testserver"


def played(story: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of an `async def`: it runs in a loop of its own, and what it `call`s in the test's thread and connection.

    Mark such tests with `django_db(transaction=True)`: live events leave after a commit.
    """

    @wraps(story)
    def test(*args: Any, **kwargs: Any) -> None:
        async_to_sync(story)(*args, **kwargs)

    return test


async def call[Result](function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Ordinary code (queries, services, the test client) from within a played story: `await call(buy, listing=…)`."""
    result: Result = await sync_to_async(function)(*args, **kwargs)
    return result


def session_of(user: Any) -> str:
    """The cookie of a new session in which this person is signed in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def ticket_of(user: Any) -> str:
    """A ticket for one socket, from the API, with a new access token."""
    tokens = import_module("marketplace.accounts.tokens")  # core knows no app
    access = tokens.issue(user=user).access
    response = Client().post("/api/v1/auth/ws-ticket/", headers={"Authorization": f"Bearer {access}"})
    assert response.status_code == 201, response.content  # nosec B101
    return str(response.json()["ticket"])


class Wire(ApplicationCommunicator):
    """One websocket, as a client sees it. (That of channels.testing wants daphne, which we do not use.)"""

    async def connect(self, timeout: float = PATIENCE) -> tuple[bool, int]:
        """Whether the handshake succeeded, and the code if it did not."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout)
        return answer["type"] == "websocket.accept", answer.get("code", 1000)

    async def __aenter__(self) -> Self:
        is_open, code = await self.connect()
        assert is_open, f"refused before the handshake: {code}"  # nosec B101
        return self

    async def __aexit__(self, *_error: object) -> None:
        if not self.future.done():
            await self.send_input({"type": "websocket.disconnect", "code": 1000})
            await self.wait(PATIENCE)

    async def say(self, event: str, **data: Any) -> None:
        await self.send(json.dumps({"event": event, "data": data}))

    async def send(self, frame: str | bytes) -> None:
        await self.send_input(
            {"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame}
        )

    async def hear(self, event: str | None = None) -> dict[str, Any]:
        """The data of the next event; with `event`, of the next one of that name, whatever comes before it."""
        while True:
            found = json.loads(await self.fragment())
            if event in (None, found["event"]):
                return dict(found["data"]) if event else found

    async def fragment(self) -> str:
        """The next frame as it is: the HTML for a browser."""
        message = await self.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", message  # nosec B101
        return str(message["text"])

    async def closed(self) -> int:
        """The code with which the server closes, after whatever it still says before."""
        while True:
            message = await self.receive_output(PATIENCE)
            if message["type"] == "websocket.close":
                return int(message.get("code", 1000))

    async def is_quiet(self) -> bool:
        """Whether nothing has come. Only after something that would have come before: a `ping` and its `pong`, say."""
        return bool(await self.receive_nothing(timeout=0.05))


def socket(
    path: str,
    *,
    session: str = "",
    ticket: str = "",
    origin: str | None = "http://testserver",
    application: Any = None,
    **headers: str,
) -> Wire:
    """A websocket to open with `async with`: a browser's with `session`, a program's with `ticket` (which needs no origin).

    Through the real `project.asgi`, unless a test brings an application of its own.

    >>> async with socket("/ws/notifications/", ticket=await call(ticket_of, user)) as wire:
    ...     await wire.say("mark_read", id="…")
    """
    application = application or import_module("project.asgi").application
    if ticket:
        path += ("&" if "?" in path else "?") + f"ticket={ticket}"
        origin = None if origin == "http://testserver" else origin
    sent = [(b"host", _HOST), *((name.lower().encode(), value.encode()) for name, value in headers.items())]
    if origin is not None:
        sent.append((b"origin", origin.encode()))
    if session:
        sent.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
    address, _mark, query = path.partition("?")
    scope = {
        "type": "websocket",
        "path": address,
        "query_string": query.encode(),
        "headers": sent,
        "subprotocols": [],
        "client": ("203.0.113.7", 50_000),
    }
    return Wire(application, scope)


class Feed(ApplicationCommunicator):
    """One event stream, as a page sees it: `status` and `headers` of the answer, then its events."""

    status = 0
    headers: dict[str, str]

    async def __aenter__(self) -> Self:
        await self.send_input({"type": "http.request", "body": b"", "more_body": False})
        answer = await self.receive_output(PATIENCE)
        self.status = answer["status"]
        self.headers = {name.decode(): value.decode() for name, value in answer["headers"]}
        return self

    async def __aexit__(self, *_error: object) -> None:
        if not self.future.done():
            await self.send_input({"type": "http.disconnect"})
            await self.wait(PATIENCE)

    async def hear(self, event: str | None = None) -> dict[str, str]:
        """The next event as {"event", "data", "id"?}; with `event`, the next of that name, whatever comes before it."""
        while True:
            message = await self.receive_output(PATIENCE)
            assert message.get("more_body"), "the stream has ended"  # nosec B101
            lines = [line.partition(": ") for line in message["body"].decode().strip().splitlines()]
            found: dict[str, str] = {}
            for name, _colon, text in lines:
                if name:  # else it is a comment: a sign of life
                    found[name] = f"{found[name]}\n{text}" if name in found else text
            if found and event in (None, found.get("event")):
                return found

    async def ended(self) -> bool:
        """Whether the server has ended the stream, after whatever it still said."""
        while True:
            message = await self.receive_output(PATIENCE)
            if not message.get("more_body"):
                return True


def feed(
    *on: str,
    session: str = "",
    last: str = "",
    method: str = "GET",
    made_for_somebody: bool = False,
    **headers: str,
) -> Feed:
    """A page's stream through the real `project.asgi`, to open with `async with`; `on` is what the page follows."""
    sent = [(b"host", _HOST), *((name.lower().encode(), value.encode()) for name, value in headers.items())]
    if session:
        sent.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
    query = [("on", text) for text in on] + ([("last", last)] if last else [])
    query += [("in", "1")] if made_for_somebody else []
    scope = {
        "type": "http",
        "method": method,
        "path": "/live/",
        "query_string": urlencode(query).encode(),
        "headers": sent,
        "client": ("203.0.113.7", 50_000),
    }
    return Feed(import_module("project.asgi").application, scope)
