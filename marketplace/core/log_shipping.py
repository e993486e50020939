"""Log lines to a server that is not this one, so that who breaks in here cannot unsay them (ASVS 16.4.3).

Each line is a message of syslog (RFC 5424) over TLS (RFC 5425); what it says stands in it as a JSON object. A thread of each
process sends them: who logs waits for nobody. Syslog has no receipts: what was in the wire when a connection broke is lost,
and the numbers of the messages (`meta sequenceId`) show the gap.
"""

import contextlib
import json
import logging
import os
import queue
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from marketplace.core import outside
from marketplace.core.logs import LineFormatter

logger = logging.getLogger(__name__)

PORT = 6514  # RFC 5425
SCHEME = "syslog+tls"
# Octets of one message: RFC 5425 asks receivers to take that many, and rsyslog takes no more unless told.
MOST = 8192
QUEUE = 10_000  # messages that wait at most, of a process
TIMEOUT = 10.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between two tries to connect
LAST_WORDS = 3.0  # seconds that the end of a process waits for what is still to be sent

_FACILITY = 16  # local0
_SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_END = b""


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    ca: str = ""
    cert: str = ""
    key: str = ""


def server(url: str) -> Server:
    """What `syslog+tls://HOST:PORT?ca=FILE&cert=FILE&key=FILE` names: who signs the server's certificate (the system's own
    authorities without `ca`), and a certificate of ours, should the server want one. Raises ValueError.
    """
    parts = urlsplit(url)
    files = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if parts.scheme != SCHEME or not parts.hostname or set(files) - {"ca", "cert", "key"}:
        raise ValueError(f"must be {SCHEME}://HOST:PORT?ca=FILE&cert=FILE&key=FILE")
    found = Server(parts.hostname, parts.port or PORT, **files)
    try:
        _context(found)  # a file that cannot be read is found out now
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(f"names certificates that cannot be read: {error}") from error
    return found


def _context(found: Server) -> ssl.SSLContext:
    """Certificates and names are checked. Raises OSError for files that cannot be read."""
    context = ssl.create_default_context(cafile=found.ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if found.cert:
        context.load_cert_chain(found.cert, found.key or None)
    return context


class JsonFormatter(LineFormatter):
    """One JSON object, in ASCII and within `most` octets. What is too long loses its middle: an error stands at the end."""

    def __init__(self, most: int = MOST - 256) -> None:
        super().__init__("%(message)s")
        self.most = most

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": super().format(record),
        }
        line = json.dumps(told)
        while len(line) > self.most:
            whole = told["message"]
            kept = max(0, int(len(whole) * self.most / len(line)) - 16) // 2
            told["message"] = f"{whole[:kept]} … {whole[len(whole) - kept :]}"
            line = json.dumps(told)
        return line


class Shipper(logging.Handler):
    """The handler. Its thread begins with the first line of a process, so that each fork has its own."""

    def __init__(self, url: str, *, size: int = QUEUE) -> None:
        super().__init__()
        self.server = server(url)
        self.size = size
        self.formatter = JsonFormatter()
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """What waits here belongs to this process: a fork leaves it, and the connection, to its parent."""
        self._waiting: queue.Queue[bytes] = queue.Queue(self.size)
        self._thread: threading.Thread | None = None
        self._wire: ssl.SSLSocket | None = None
        self._is_closing = threading.Event()
        self._number = 0
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits, never fails. (`Handler.handle` lets one thread in at a time.)"""
        try:
            self._number += 1
            message = self.message(record, self._number)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="log shipping", daemon=True)
                self._thread.start()
            self._waiting.put_nowait(message)
        except (queue.Full, RuntimeError):  # the latter at the very end of a process, when no thread begins
            self._lost += 1
        except Exception:  # noqa: BLE001
            self.handleError(record)

    def message(self, record: logging.LogRecord, number: int) -> bytes:
        """RFC 5424, section 6: head, structured data, message."""
        severity = next((code for level, code in _SEVERITIES if record.levelno >= level), _DEBUG)
        at = (
            datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z")
        )
        # 2147483647 is the number after which a sender begins again (section 7.3.1).
        data = f'[meta sequenceId="{(number - 1) % 2147483647 + 1}"]'
        head = f"<{_FACILITY * 8 + severity}>1 {at} {_host()} wibestore {os.getpid()} - {data} "
        return head.encode("ascii", "replace") + self.format(record).encode()

    def close(self) -> None:
        """Wait a little for what is still to be sent."""
        self._is_closing.set()
        if self._thread is not None and self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._waiting.put(_END, timeout=LAST_WORDS)
            self._thread.join(LAST_WORDS)
        super().close()

    # --- The thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        waiting, closing = self._waiting, self._is_closing
        while (message := waiting.get()) != _END:
            if not self._sent(message, closing):
                return
            if self._lost and waiting.qsize() <= self.size // 2:
                self._say_what_was_lost()

    def _sent(self, message: bytes, closing: threading.Event) -> bool:
        """Try until it is sent, or until this process ends."""
        pause = 0.0
        while True:
            try:
                if self._wire is None or not _is_open(self._wire):
                    self._hang_up()
                    self._wire = self._connected()
                # RFC 5425, section 4.3: the number of octets, a space, the octets.
                self._wire.sendall(b"%d %b" % (len(message), message))
            except (OSError, ValueError) as error:
                self._hang_up()
                if not pause:
                    logger.warning("the log server is not reached, lines wait: %s", error)
                pause = min(max(FIRST_PAUSE, pause * 2), LONGEST_PAUSE)
                if closing.wait(pause):
                    return False
            else:
                if pause:
                    logger.warning("the log server is reached again")
                return True

    def _connected(self) -> ssl.SSLSocket:
        context = _context(self.server)
        plain = outside.connect((self.server.host, self.server.port), TIMEOUT)
        try:
            return context.wrap_socket(plain, server_hostname=self.server.host)
        except (OSError, ValueError):
            plain.close()
            raise

    def _say_what_was_lost(self) -> None:
        """On every handler, this one too, as soon as there is room again."""
        self.acquire()
        lost, self._lost = self._lost, 0
        self.release()
        logger.error("%d log lines were not shipped: too many waited for the log server", lost)

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def _is_open(wire: ssl.SSLSocket) -> bool:
    """Whether the other side is still there, as far as it has said: it sends nothing but its end."""
    wire.setblocking(False)
    try:
        return wire.recv(1) != b""
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    finally:
        wire.settimeout(TIMEOUT)


def _host() -> str:
    """HOSTNAME of RFC 5424: printable ASCII, 255 signs."""
    return "".join(sign for sign in socket.gethostname() if "!" <= sign <= "~")[:255] or "-"
