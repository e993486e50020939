"""The other end of `make sockets`, in a process of its own: all sockets, and the clock that sender and receiver share.

Usage: sockets_client.py PLAN.json, where the plan is {"targets": {name: {"port", "pid"}}, "rooms": [...] of prepare_sockets.py,
"idle", "talking", "every", "seconds", "rounds", "redis", "log", "most_seconds"}; `log` is where the first target says who has
left. Each of the targets gets all the idle and all the
talking sockets; rounds go target by target. Prints a JSON with memory in bytes, latencies in milliseconds, and shares of one
processor. Only this machine is talked to.
"""

import asyncio
import contextlib
import itertools
import json
import os
import random
import socket
import sys
import time
import uuid
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

AT_ONCE = 20  # handshakes under way
GRACE = 10.0  # seconds after a round in which the rest may arrive
FLOOD_EVERY = 1.3  # seconds between two messages of one person: 46 a minute, of the 50 that are allowed
FIREHOSE = 100  # events a second, published past all limits
PATIENCE = 90.0  # seconds in which a reader that takes nothing must have been cut off
SENTENCES = (
    "Salom, hisob hali sotuvdami?",
    "Ha, sotuvda. Qaysi server kerak edi?",
    "Yevropa serveri, darajasi qancha ekan?",
    "Здравствуйте, аккаунт ещё продаётся?",
    "Да, все скины на месте, почту отдам вместе с ним.",
    "Хорошо, я оплачу сегодня вечером через сайт.",
    "Hi, is the rank still the same as in the pictures?",
    "Yes, it is. I can show more pictures if you like.",
    "To'lovni qildim, ma'lumotlarni kutyapman.",
    "Rahmat, hammasi joyida, tasdiqlayman.",
)
LONG = " ".join(itertools.islice(itertools.cycle(SENTENCES), 60))[:3900]


class Target:
    """One server, with the sockets that are open to it."""

    def __init__(self, name: str, port: int, pid: int) -> None:
        self.name, self.port, self.pid = name, port, pid
        self.idle: list[ClientConnection] = []
        self.talkers: list[list[ClientConnection]] = []
        self.pending: dict[str, tuple[float, int]] = {}
        self.latencies: list[float] = []
        self.errors: Counter[str] = Counter()
        self.readers: list[asyncio.Task[None]] = []

    async def open(self, room: dict[str, Any], side: int) -> ClientConnection:
        return await connect(
            f"ws://127.0.0.1:{self.port}/ws/chat/{room['room']}/?format=json",
            origin=f"http://127.0.0.1:{self.port}",  # type: ignore[arg-type]
            additional_headers={"Cookie": room["cookies"][side]},
            compression=None,
            proxy=None,
            ping_interval=None,
            max_queue=None,
            open_timeout=60,
        )

    async def open_all(self, rooms: list[dict[str, Any]]) -> list[list[ClientConnection]]:
        """Both people of each room, a few handshakes at a time."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(room: dict[str, Any], side: int) -> ClientConnection:
            async with places:
                return await self.open(room, side)

        wires = await asyncio.gather(*(one(room, side) for room in rooms for side in (0, 1)))
        return [list(pair) for pair in itertools.batched(wires, 2)]

    def listen(self, pair: list[ClientConnection]) -> None:
        for side, wire in enumerate(pair):
            self.readers.append(asyncio.create_task(self._read(wire, side)))

    async def _read(self, wire: ClientConnection, side: int) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in wire:
                now = time.perf_counter()
                told = json.loads(frame)
                if told["event"] == "error":
                    self.errors[told["data"]["code"]] += 1
                client_id = told["data"].get("client_id")
                sent = self.pending.get(client_id)
                if sent is not None and sent[1] != side and told["event"] != "error":
                    del self.pending[client_id]
                    self.latencies.append((now - sent[0]) * 1000)
            return
        self.errors[f"closed {wire.close_code}"] += 1

    async def talk(self, every: float, seconds: float) -> dict[str, Any]:
        """One round: in each conversation somebody says something every so many seconds, each of the two in turn."""
        self.latencies, self.errors, self.pending = [], Counter(), {}
        begun, worked = time.perf_counter(), cpu_seconds(self.pid)
        until = begun + seconds
        sent = sum(
            await asyncio.gather(*(self._converse(pair, every, begun, until) for pair in self.talkers))
        )
        lasted = time.perf_counter() - begun
        share = (cpu_seconds(self.pid) - worked) / lasted
        patience = time.perf_counter() + GRACE
        while self.pending and time.perf_counter() < patience:
            await asyncio.sleep(0.05)
        return {
            "latencies": self.latencies,
            "sent": sent,
            "lost": len(self.pending),
            "errors": dict(self.errors),
            "seconds": lasted,
            "cpu": share,
        }

    async def _converse(self, pair: list[ClientConnection], every: float, begun: float, until: float) -> int:
        due, sent = begun + random.uniform(0, every), 0
        for side in itertools.cycle((0, 1)):
            if due >= until:
                return sent
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            client_id = str(uuid.uuid4())
            self.pending[client_id] = time.perf_counter(), side
            await pair[side].send(message(random.choice(SENTENCES), client_id))
            sent += 1
            due += every
        return sent


def message(text: str, client_id: str) -> str:
    return json.dumps({"event": "send_message", "data": {"text": text, "client_id": client_id}})


class Stalled:
    """A reader that stops reading at the socket, as a phone in a tunnel does."""

    def __init__(self, target: Target, room: dict[str, Any]) -> None:
        self.target, self.room = target, room
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def open(self) -> None:
        loop, port = asyncio.get_running_loop(), self.target.port
        await loop.sock_connect(self.socket, ("127.0.0.1", port))
        head = (
            f"GET /ws/chat/{self.room['room']}/?format=json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nCookie: {self.room['cookies'][0]}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}\r\n\r\n"
        )
        await loop.sock_sendall(self.socket, head.encode())
        answer = await loop.sock_recv(self.socket, 1024)
        if b" 101 " not in answer:
            raise SystemExit(f"the stalled reader was not let in: {answer[:80]!r}")

    async def is_told_to_fetch_anew(self) -> bool:
        """Read again, all that has waited, until `resync`."""
        seen, loop = b"", asyncio.get_running_loop()
        # Through the tiny window that made it stall quickly, what waits in the kernels would trickle for minutes.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(GRACE):
                while part := await loop.sock_recv(self.socket, 262_144):
                    seen = seen[-32:] + part
                    if b'"event": "resync"' in seen:
                        return True
        return False


class Firehose:
    """Events on the topics of some rooms, and in each a person who writes long messages as fast as they may."""

    def __init__(self, target: Target, rooms: list[dict[str, Any]], redis: str) -> None:
        self.target, self.rooms, self.redis = target, rooms, redis

    async def __aenter__(self) -> None:
        self.wires = [await self.target.open(room, 1) for room in self.rooms]
        self.tasks = [asyncio.create_task(self._flood(wire)) for wire in self.wires]
        if self.redis:
            from channels_redis.pubsub import RedisPubSubChannelLayer

            self.layer = RedisPubSubChannelLayer(hosts=[{"address": self.redis, "socket_timeout": None}])
            self.tasks += [asyncio.create_task(self._publish(room)) for room in self.rooms]

    async def __aexit__(self, *_error: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for wire in self.wires:
            await wire.close()
        if self.redis:
            await self.layer.flush()

    async def _flood(self, wire: ClientConnection) -> None:
        while True:
            await wire.send(message(LONG, str(uuid.uuid4())))
            async with asyncio.timeout(FLOOD_EVERY) as pause:
                with contextlib.suppress(ConnectionClosed):
                    while not pause.expired():
                        await wire.recv()

    async def _publish(self, room: dict[str, Any]) -> None:
        payload = {"conversation_id": room["room"], "user_id": room["people"][1], "name": LONG}
        event = {
            "type": "realtime.event",
            "topic": room["topic"],
            "event": "typing_start",
            "payload": payload,
        }
        due = time.perf_counter()
        while True:
            await self.layer.group_send(room["group"], event)
            due += 1 / FIREHOSE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Bytes of the process in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    targets = [Target(name, **where) for name, where in plan["targets"].items()]
    talking, idle = plan["talking"] // 2, plan["idle"] // 2
    rooms = plan["rooms"]
    talk_in, idle_in, stall_in = (
        rooms[:talking],
        rooms[talking : talking + idle],
        rooms[talking + idle :],
    )
    return {
        "memory": await memory(targets, idle_in, warm_up=talk_in),
        "rounds": await rounds(targets, talk_in, plan),
        "stalled": await stalled(targets[0], stall_in, plan),
    }


async def memory(
    targets: list[Target], rooms: list[dict[str, Any]], *, warm_up: list[dict[str, Any]]
) -> dict[str, Any]:
    """What each process holds before and after the idle sockets, which stay open."""
    for target in targets:  # what the first sockets load stays, and is not what one more socket costs
        for pair in await target.open_all(warm_up[:10]):
            for wire in pair:
                await wire.close()
    await asyncio.sleep(2)
    found = {target.name: {"before": resident(target.pid)} for target in targets}
    for target in targets:
        begun = time.perf_counter()
        for pair in await target.open_all(rooms):
            target.idle += pair
        say(f"{target.name}: {len(target.idle)} idle sockets in {time.perf_counter() - begun:.0f} s")
    await asyncio.sleep(5)
    for target in targets:
        gone = sum(wire.close_code is not None for wire in target.idle)
        found[target.name] |= {"after": resident(target.pid), "sockets": len(target.idle), "gone": gone}
    return found


async def rounds(
    targets: list[Target], rooms: list[dict[str, Any]], plan: dict[str, Any]
) -> dict[str, list[Any]]:
    """The talking sockets are opened, and talk: a round with each target in turn; the first round warms up."""
    found: dict[str, list[Any]] = {target.name: [] for target in targets}
    for target in targets:
        target.talkers = await target.open_all(rooms)
        for pair in target.talkers:
            target.listen(pair)
    await asyncio.sleep(2)
    for number in range(-1, plan["rounds"]):
        for target in targets:
            done = await target.talk(plan["every"], plan["seconds"])
            say(f"{target.name}, round {number + 1}: {summary(done)}")
            if number >= 0:
                found[target.name].append(done)
    return found


async def stalled(target: Target, rooms: list[dict[str, Any]], plan: dict[str, Any]) -> dict[str, Any]:
    """The same talk while two conversations are flooded: their readers read, or do not.

    After each round one of the stalled readers reads again and must be told to fetch anew; the other stays as it is.
    """
    found: dict[str, Any] = {"reading": [], "stalled": [], "told": 0}
    kept = []
    pairs = list(itertools.batched(rooms, 2))
    for number, pair in enumerate(pairs):
        async with Firehose(target, list(pair), plan["redis"]):
            readers = [await target.open(room, 0) for room in pair]
            drains = [asyncio.create_task(drain(wire)) for wire in readers]
            done = await target.talk(plan["every"], plan["seconds"])
            found["reading"].append(done)
            for wire in readers:
                await wire.close()
            await asyncio.gather(*drains)
            say(f"flooded and read, round {number + 1}: {summary(done)}")
        async with Firehose(target, list(pair), plan["redis"]):
            resting, gone = (Stalled(target, room) for room in pair)
            await resting.open()
            await gone.open()
            kept.append(gone)
            done = await target.talk(plan["every"], plan["seconds"])
            found["stalled"].append(done)
            found["told"] += await resting.is_told_to_fetch_anew()
            resting.socket.close()
            say(f"flooded and not read, round {number + 1}: {summary(done)}")
    found["cut"] = await cut_off([gone.room["room"] for gone in kept], Path(plan["log"]))
    return found


async def cut_off(rooms: list[str], log: Path) -> list[str]:
    """How the readers that never read again were ended, as the server's log has it: their kernels cannot tell."""
    found: dict[str, str] = {}
    patience = time.perf_counter() + PATIENCE
    while len(found) < len(rooms) and time.perf_counter() < patience:
        await asyncio.sleep(1)
        for line in log.read_text().splitlines() if log.exists() else []:
            for room in rooms:
                if f"disconnected: ws /ws/chat/{room}/" in line and " dropped=0" not in line:
                    found[room] = line[line.index(" closed=") + 1 :].partition(" [")[0]
    return list(found.values())


async def drain(wire: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for _frame in wire:
            pass


def summary(done: dict[str, Any]) -> str:
    ordered = sorted(done["latencies"]) or [0.0]
    return (
        f"{done['sent'] / done['seconds']:.0f}/s, p50 {ordered[len(ordered) // 2]:.1f} ms, "
        f"p95 {ordered[int(len(ordered) * 0.95)]:.1f} ms, cpu {done['cpu']:.0%}, lost {done['lost']} {done['errors'] or ''}"
    )


async def within(plan: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(plan["most_seconds"]):
        return await run(plan)


if __name__ == "__main__":
    json.dump(asyncio.run(within(json.loads(Path(sys.argv[1]).read_text()))), sys.stdout)
