"""A stand-in for Stripe's API: a real HTTP server in a thread that speaks the calls we make, idempotency keys included."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

KEY = "sk_test_sample"


class Books:
    """What the server knows. `mode`: "", "down" (500), "busy" (429), "mute" (no answer), "garbage"."""

    def __init__(self):
        self.mode = ""
        self.url = ""
        self.requests = []
        self.sessions = {}
        self.refunds = []
        self.keys = {}
        self.released = threading.Event()

    @property
    def last(self):
        return self.requests[-1]

    def session(self):
        return next(iter(self.sessions.values()))

    def pay(self, **changed):
        self.session().update(
            {"status": "complete", "payment_status": "paid", "payment_intent": "pi_1", **changed}
        )

    def answer(self, method, path, fields, key):
        if method == "POST" and path == "/v1/checkout/sessions":
            return self.once(key, fields, self.open)
        if method == "GET" and path.startswith("/v1/checkout/sessions/"):
            found = self.sessions.get(path.rsplit("/", 1)[1])
            return (200, found) if found else wrong(404, "No such session", "resource_missing")
        if method == "POST" and path == "/v1/refunds":
            return self.once(key, fields, self.refund)
        if method == "GET" and path == "/v1/refunds":
            return 200, {"object": "list", "url": path, "has_more": False, "data": self.refunds}
        return wrong(404, "Unrecognized request URL")

    def once(self, key, fields, make):
        if key in self.keys:
            known, answer = self.keys[key]
            if known != fields:
                return wrong(400, "Keys can only be used with the same parameters", kind="idempotency_error")
            return answer
        answer = make(fields)
        if key:
            self.keys[key] = (fields, answer)
        return answer

    def open(self, fields):
        price = "line_items[0][price_data]"
        amount = int(fields[f"{price}[unit_amount]"])
        if amount < 50:
            return wrong(400, "Amount too small", "amount_too_small")
        number = f"cs_test_{len(self.sessions) + 1}"
        self.sessions[number] = {
            "id": number,
            "object": "checkout.session",
            "url": f"https://checkout.stripe.com/c/pay/{number}",
            "client_reference_id": fields["client_reference_id"],
            "metadata": {"transaction_id": fields["metadata[transaction_id]"]},
            "amount_total": amount,
            "currency": fields[f"{price}[currency]"],
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
        }
        return 200, self.sessions[number]

    def refund(self, fields):
        if self.mode == "refused":
            return wrong(400, "Charge has already been refunded.", "charge_already_refunded")
        made = {
            "id": f"re_{len(self.refunds) + 1}",
            "object": "refund",
            "amount": int(fields["amount"]),
            "payment_intent": fields["payment_intent"],
            "metadata": {"refund_id": fields["metadata[refund_id]"]},
            "status": "failed" if self.mode == "failing" else "succeeded",
        }
        self.refunds.append(made)
        return 200, made


def wrong(status, message, code="", kind="invalid_request_error"):
    return status, {"error": {"type": kind, "message": message, "code": code}}


@contextmanager
def running():
    books = Books()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self):
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            fields = dict(parse_qsl(body, keep_blank_values=True))
            books.requests.append(
                {
                    "method": self.command,
                    "path": parts.path,
                    "query": parse_qs(parts.query),
                    "fields": fields,
                    "headers": dict(self.headers),
                }
            )
            if books.mode == "mute":
                books.released.wait(timeout=30)
                return
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                status, answer = wrong(401, "Invalid API Key provided")
            elif books.mode in {"down", "busy"}:
                status, answer = wrong(500 if books.mode == "down" else 429, "later", kind="api_error")
            else:
                key = self.headers.get("Idempotency-Key", "")
                status, answer = books.answer(self.command, parts.path, fields, key)
            text = b"<html>" if books.mode == "garbage" else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = handle_one  # noqa: N815 (the base class calls them so)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    books.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield books
    finally:
        books.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
