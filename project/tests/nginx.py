"""A real nginx for a test, with rules taken out of deploy/nginx.conf."""

import http.client
import io
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

CONF = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
program = shutil.which("nginx")


def rule(start: str) -> str:
    """The block of the configuration that begins so, to the brace that closes it."""
    begin = re.search(rf"^( *){re.escape(start)} \{{", CONF, re.M)
    end = CONF.index(f"\n{begin[1]}}}", begin.end()) + len(begin[1]) + 2
    return CONF[begin.start() : end]


def line(start: str) -> str:
    """The statement that begins so."""
    return re.search(rf"^ *{re.escape(start)}[^;]*;", CONF, re.M)[0]


@contextmanager
def running(folder: Path, *, before: str, server: str) -> Iterator[Path]:
    """A server at a socket in this folder. `before` stands in the http block, `server` in the server block."""
    address, conf = folder / "nginx.sock", folder / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # A server that root starts would read the test's files as nobody.
    owner = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(
        f"daemon on; {owner} pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ {temporary}\n{before}\nserver {{ listen unix:{address};\n{server}\n}} }}\n"
    )
    command = [program, "-e", str(folder / "error.log"), "-c", str(conf)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (what is installed, with our own file)
    try:
        yield address
    finally:
        subprocess.run([*command, "-s", "quit"], check=True, capture_output=True)  # noqa: S603


def asked(address: Path, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """The answer of the server at this socket, to an address that no client has tidied up."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(address))
        caller.sendall(f"{method} {path} HTTP/1.1\r\nHost: shop\r\n{lines}Connection: close\r\n\r\n".encode())
        told = b"".join(iter(lambda: caller.recv(65536), b""))

    class Told:
        def makefile(self, *_args: object) -> io.BytesIO:
            return io.BytesIO(told)

    answer = http.client.HTTPResponse(Told(), method=method)  # type: ignore[arg-type]
    answer.begin()
    return answer
