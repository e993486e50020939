"""A server that speaks clamd's protocol over a real socket, and the real clamd where it is installed.

Both know one signature: that of the EICAR test file, which harms nobody (https://www.eicar.org/download-anti-malware-testfile/).
"""

import shutil
import socket
import struct
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

# In two halves, or a scanner on the developer's machine would take this file away.
EICAR = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").ljust(68)
SIGNATURE = "Eicar-Test-Signature"
GOOD, FOUND = b"stream: OK\0", f"stream: {SIGNATURE} FOUND\0".encode()
VERSION = b"ClamAV 1.4.6/27500/%s\0"
START_SECONDS = 30


class Clamd:
    """`answer`: what a stream is answered with, instead of the truth. `is_slow`: it hears everything and says nothing;
    `drips`: it goes on saying a little, and never ends."""

    def __init__(self):
        self.answer = None
        self.version = VERSION % time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime()).encode()
        self.is_slow = self.drips = False
        self.seen = []
        self.stopped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            try:
                line, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[line], daemon=True).start()

    def _talk(self, line):
        with line, line.makefile("rb") as said, suppress(OSError, struct.error):  # the other end may hang up
            command = b""
            while not command.endswith(b"\0") and (sign := said.read(1)):
                command += sign
            if self.is_slow:
                self.stopped.wait()
            elif self.drips:
                while not self.stopped.wait(0.02):
                    line.sendall(b"s")
            elif command == b"zVERSION\0":
                line.sendall(self.version)
            elif command == b"zINSTREAM\0":
                data = b""
                while size := struct.unpack("!L", said.read(4))[0]:
                    data += said.read(size)
                self.seen.append(data)
                line.sendall(self.answer if self.answer is not None else FOUND if EICAR in data else GOOD)
            else:
                line.sendall(b"UNKNOWN COMMAND\0")


@contextmanager
def running():
    server = Clamd()
    server.thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


def real():
    """The path of the real one, or None."""
    return shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@contextmanager
def real_running(folder, conf):
    """Debian's clamd (package clamav-daemon) on the configuration that we ship, with one signature of our own. Gives its URL."""
    signatures, place = folder / "signatures", folder / "clamd.sock"
    signatures.mkdir()
    # Name, any kind of file, anywhere in it, the bytes (the form of .ndb files).
    (signatures / "test.ndb").write_text(f"{SIGNATURE}:0:*:{EICAR.rstrip().hex()}\n")
    lines = [line for line in conf.splitlines() if not line.startswith(("User ", "LocalSocket ", "#"))]
    lines += [f"LocalSocket {place}", f"DatabaseDirectory {signatures}", "Foreground yes"]
    (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(  # noqa: S603
        [real(), f"--config-file={folder / 'clamd.conf'}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not place.exists():
            assert process.poll() is None, process.stdout.read().decode()
            assert time.monotonic() < deadline, "clamd takes too long to start"
            time.sleep(0.05)
        yield f"unix://{place}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
