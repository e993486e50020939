"""A stand-in for Eskiz: a real HTTP server on loopback, strict about the calls we make."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

EMAIL, PASSWORD, SENDER = "shop@wibestore.uz", "eskiz-secret-password", "WIBE"


class Eskiz:
    """What the server knows. `mode`: "", "down" (500), "mute" (hangs up), "garbage", "refusing" (400), "locked" (no log-in)."""

    def __init__(self):
        self.url, self.mode = "", ""
        self.logins, self.sent, self.number = 0, [], 0
        self.valid = set()

    def reset(self):
        url = self.url
        self.__init__()
        self.url = url

    def answer(self, path, given, bearer):
        if path == "/api/auth/login":
            if self.mode == "locked" or (given.get("email"), given.get("password")) != (EMAIL, PASSWORD):
                return 401, {"message": "Invalid credentials"}
            self.logins += 1
            token = f"eyJ-token-{self.logins}"
            self.valid = {token}
            return 200, {"message": "token_generated", "data": {"token": token}, "token_type": "bearer"}
        if path != "/api/message/sms/send":
            return 404, {"message": "not found"}
        if bearer not in self.valid:
            return 401, {"status": "token-invalid", "message": "Expired"}
        if set(given) != {"mobile_phone", "message", "from", "callback_url"} or given["from"] != SENDER:
            return 422, {"message": "validation"}
        if not (given["mobile_phone"].isdigit() and len(given["mobile_phone"]) == 12):
            return 422, {"message": {"mobile_phone": ["invalid"]}}
        if self.mode == "refusing":
            return 400, {"status": "error", "message": "Для теста можно использовать только"}
        self.number += 1
        self.sent.append(given)
        return 200, {
            "id": f"4385062e-{self.number}",
            "message": "Waiting for SMS provider",
            "status": "waiting",
        }


def handler(eskiz):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if eskiz.mode == "mute":
                self.connection.close()
                return
            given = {name: values[0] for name, values in parse_qs(body).items()}
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, said = eskiz.answer(self.path, given, bearer)
            if eskiz.mode == "down":
                status, said = 500, {"message": "Server Error"}
            data = b"<html>" if eskiz.mode == "garbage" else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args):
            pass

        def handle_one_request(self):
            try:
                super().handle_one_request()
            except (OSError, ValueError):  # "mute" has closed it
                self.close_connection = True

    return Handler


@contextmanager
def running():
    eskiz = Eskiz()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(eskiz))
    server.handle_error = lambda *_args: None
    eskiz.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield eskiz
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
