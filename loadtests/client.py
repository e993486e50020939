"""A load generator in a process of its own: kept-alive connections, one request at a time on each.

Usage: client.py PLAN.json, where the plan is {"port", "connections", "seconds", "requests": [raw request as latin-1, ...],
"expect": status, "once": bool}. With "once" each request is sent a single time (purchases), else they go round. A list in
the place of a request is a conversation: its requests go one after another over one connection.
Prints {"seconds", "count", "wrong", "latencies": [...]} in milliseconds.
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path


class Connection:
    def __init__(self, port: int) -> None:
        self.port = port
        self.rest: list[bytes] = []
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.begun = 0.0

    def begin(self, talk: list[bytes]) -> None:
        """Send the first request of a conversation, and keep the others for later."""
        request, self.rest = talk[0], talk[1:]
        self.send(request)

    def send(self, request: bytes) -> None:
        self.buffer, self.begun = b"", time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> int | None:
        """The status once the whole answer is here; None while more is to come, 0 when the server hung up."""
        part = self.socket.recv(262_144)
        if not part:
            return 0
        self.buffer += part
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : (head.find(b"\r\n", at) + 1 or len(head) + 1) - 1]) if at >= 0 else 0
        return int(head[9:12]) if len(self.buffer) >= end + 4 + length else None


def run(plan: dict) -> dict:
    requests = [
        [text.encode("latin-1") for text in ([one] if isinstance(one, str) else one)]
        for one in plan["requests"]
    ]
    source = iter(requests) if plan["once"] else round_and_round(requests)
    poll = selectors.DefaultSelector()
    latencies: list[float] = []
    wrong: dict[int, int] = {}
    begun = time.perf_counter()
    until = begun + plan["seconds"]
    for _number in range(plan["connections"]):
        talk = next(source, None)
        if talk is not None:
            connection = Connection(plan["port"])
            poll.register(connection.socket, selectors.EVENT_READ, connection)
            connection.begin(talk)
    while poll.get_map():
        for key, _mask in poll.select(timeout=30) or sys.exit("the server does not answer"):
            connection = key.data
            status = connection.read()
            if status is None:
                continue
            now = time.perf_counter()
            if status == plan["expect"]:
                latencies.append((now - connection.begun) * 1000)
            else:
                wrong[status] = wrong.get(status, 0) + 1
            # A conversation is not broken off: what it began would lie half-done for the next round.
            talk = connection.rest or (next(source, None) if now < until else None)
            closing = status == 0 or b"connection: close" in connection.buffer[:600].lower()
            if talk is None or closing:
                poll.unregister(connection.socket)
                connection.socket.close()
            if talk is not None:
                if closing:
                    connection.open()
                    poll.register(connection.socket, selectors.EVENT_READ, connection)
                connection.begin(talk)
    return {
        "seconds": time.perf_counter() - begun,
        "count": len(latencies),
        "wrong": wrong,
        "latencies": latencies,
    }


def round_and_round(requests: list[list[bytes]]) -> Iterator[list[bytes]]:
    while True:
        yield from requests


if __name__ == "__main__":
    json.dump(run(json.loads(Path(sys.argv[1]).read_text())), sys.stdout)
