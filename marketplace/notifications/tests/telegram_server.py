"""A stand-in for Telegram's Bot API: a real HTTP server in a thread, strict about the calls we make."""

import json
import re
import threading
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKEN = "4711:AAE-very-secret-token_of_the_bot"
KNOWN = {
    "sendMessage": {"chat_id", "text", "parse_mode", "reply_markup", "link_preview_options"},
    "getUpdates": {"offset", "timeout", "limit", "allowed_updates"},
    "setWebhook": {"url", "secret_token", "allowed_updates", "drop_pending_updates"},
    "deleteWebhook": {"drop_pending_updates"},
}
UPDATE_KINDS = {"message", "my_chat_member", "callback_query"}


class Bot:
    """What the server knows. `mode`: "", "busy" (429), "down" (502), "mute" (hangs up), "garbage"."""

    def __init__(self):
        self.mode, self.url, self.webhook = "", "", None
        self.chats = set()  # that have pressed Start
        self.blocked = set()
        self.calls, self.sent, self.updates = [], [], []

    @property
    def texts(self):
        return [one["text"] for one in self.sent]

    def says(self, number, chat_id, text, **sender):
        """A person writes to the bot: the update, which also waits for getUpdates."""
        self.chats.add(chat_id)
        made = update(number, chat_id, text, **sender)
        self.updates.append(made)
        return made

    def answer(self, method, given):
        if method not in KNOWN:
            return wrong(404, "Not Found")
        if set(given) - KNOWN[method]:
            return wrong(400, f"Bad Request: unknown parameters {sorted(set(given) - KNOWN[method])}")
        return getattr(self, method)(given)

    def sendMessage(self, given):  # noqa: N802 (Telegram's name)
        chat, text = given.get("chat_id"), given.get("text")
        if not isinstance(text, str) or not text.strip():
            return wrong(400, "Bad Request: message text is empty")
        if chat in self.blocked:
            return wrong(403, "Forbidden: bot was blocked by the user")
        if chat not in self.chats:
            return wrong(400, "Bad Request: chat not found")
        shown = text
        if "parse_mode" in given:
            shown = parsed(text) if given["parse_mode"] == "HTML" else None
            if shown is None:
                return wrong(400, "Bad Request: can't parse entities")
        if len(shown.encode("utf-16-le")) // 2 > 4096:
            return wrong(400, "Bad Request: message is too long")
        for row in given.get("reply_markup", {}).get("inline_keyboard", []):
            for button in row:
                parts = urlsplit(button["url"])
                if parts.scheme not in {"http", "https", "tg"} or "." not in (parts.hostname or ""):
                    return wrong(
                        400,
                        f"Bad Request: inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL",
                    )
        self.sent.append(given)
        return 200, {"ok": True, "result": {"message_id": len(self.sent), "chat": {"id": chat}}}

    def getUpdates(self, given):  # noqa: N802
        if self.webhook:
            return wrong(409, "Conflict: can't use getUpdates method while webhook is active")
        self.updates = [one for one in self.updates if one["update_id"] >= given.get("offset", 0)]
        return 200, {"ok": True, "result": self.updates}

    def setWebhook(self, given):  # noqa: N802
        if not given.get("url", "").startswith("https://"):
            return wrong(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", given.get("secret_token", "")):
            return wrong(400, "Bad Request: secret token contains unallowed characters")
        if set(given.get("allowed_updates", [])) - UPDATE_KINDS:
            return wrong(400, "Bad Request: unknown update type")
        self.webhook = given
        return 200, {"ok": True, "result": True}

    def deleteWebhook(self, given):  # noqa: N802
        self.webhook = None
        return 200, {"ok": True, "result": True}


def update(number, chat_id, text, *, kind="private", **sender):
    person = {"id": chat_id, "is_bot": False, "first_name": "Aziza", "language_code": "en", **sender}
    message = {
        "message_id": number,
        "date": 1772700000,
        "chat": {"id": chat_id, "type": kind},
        "from": person,
    }
    return {"update_id": number, "message": {**message, "text": text}}


def blocked(number, chat_id):
    member = {"chat": {"id": chat_id, "type": "private"}, "from": {"id": chat_id}, "date": 1772700000}
    return {"update_id": number, "my_chat_member": {**member, "new_chat_member": {"status": "kicked"}}}


def wrong(code, description, **more):
    return code, {"ok": False, "error_code": code, "description": description, **more}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.is_good = [], "", True

    def handle_starttag(self, tag, attrs):
        self.is_good &= tag in {"b", "i", "a"}
        self.open.append(tag)

    def handle_endtag(self, tag):
        self.is_good &= bool(self.open) and self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(text):
    """The text as it is shown; None where Telegram could not parse it."""
    reader = _Tags()
    reader.feed(text)
    reader.close()
    return reader.text if reader.is_good and not reader.open else None


@contextmanager
def running():
    bot = Bot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            match = re.fullmatch(r"/bot([^/]+)/(\w+)", self.path)
            bot.calls.append((match and match[2], json.loads(raw)))
            if bot.mode == "mute":
                self.close_connection = True
                return
            if not match or match[1] != TOKEN:
                status, answer = wrong(401, "Unauthorized")
            elif self.headers.get("Content-Type") != "application/json":
                status, answer = wrong(400, "Bad Request: not JSON")
            elif bot.mode == "busy":
                status, answer = wrong(
                    429, "Too Many Requests: retry after 47", parameters={"retry_after": 47}
                )
            elif bot.mode in {"down", "garbage"}:
                status, answer = wrong(502, "Bad Gateway")
            else:
                status, answer = bot.answer(match[2], json.loads(raw))
            text = b"<html>" if bot.mode == "garbage" else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    bot.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bot
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
