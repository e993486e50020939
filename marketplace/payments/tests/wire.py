"""Webhooks as the sandbox sends them, and a wire that ends in Django's test client instead of a socket."""

import json
from urllib.parse import urlsplit
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from marketplace.core import http
from marketplace.payments import sandbox

WEBHOOK = "/api/v1/payments/webhooks/sandbox/"


def payload(payment, **changed):
    facts = {
        "id": f"sb_{payment.pk.hex}",
        "order": str(payment.pk),
        "amount": payment.amount,
        "currency": payment.currency,
        "state": "paid",
    }
    return {"id": f"evt_{uuid4().hex}", "payment": {**facts, **changed}}


def deliver(event, *, at=None, headers=None, client=None):
    """POST an event (a dict, or raw bytes) with a right signature, unless other headers are given."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    signed = sandbox.signed_headers(body, at=at or timezone.now()) if headers is None else headers
    return (client or Client()).post(WEBHOOK, data=body, content_type="application/json", headers=signed)


def through_test_client(monkeypatch):
    """Let `core.http` reach our own views. Returns the list of (method, path, status) that went over the wire."""
    log = []

    def send(method, url, *, body=None, headers=None):
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}, url
        response = Client().generic(
            method,
            parts.path,
            data=body or b"",
            content_type="application/json",
            headers=headers,
            QUERY_STRING=parts.query,
        )
        log.append((method, parts.path, response.status_code))
        return http.Reply(response.status_code, response.content)

    monkeypatch.setattr(http, "send", send)
    return log
