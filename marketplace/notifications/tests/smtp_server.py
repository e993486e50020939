"""A mail server of the tests: a real one, in a thread, that can be rude and can go away."""

import socket
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller


class MailServer:
    """`mode`: "" takes all, "busy" 451, "full" 452 to each address, "broken" 554 to each mail, "hangup" cuts the line,
    "greylist" 450 the first time for each address. `unknown` addresses get 550 5.1.1 at once, `late` ones after the mail.
    """

    def __init__(self):
        self.mode, self.unknown, self.late, self.seen = "", set(), set(), set()
        self.mails, self.tries = [], 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._controller = None

    # --- What aiosmtpd asks its handler

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        self.tries += 1
        if address in self.unknown:
            return f"550 5.1.1 <{address}> unknown"
        if self.mode == "full":
            return "452 4.2.2 mailbox full"
        if self.mode == "greylist" and address not in self.seen:
            self.seen.add(address)
            return "450 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.mode == "hangup":
            server.transport.abort()
            return "250 never said"
        if self.mode == "busy":
            return "451 4.3.0 try again"
        if self.mode == "broken":
            return "554 5.6.0 I do not like this mail"
        if envelope.rcpt_tos[0] in self.late:
            return "550 5.1.1 no such person, now that I have read it"
        self.mails.append(message_from_bytes(envelope.original_content, policy=policy.default))
        return "250 OK"

    def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=20)
        self._controller.start()

    def stop(self):
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@contextmanager
def running():
    server = MailServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
