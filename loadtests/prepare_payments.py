"""What the benchmark sends as payment providers: run inside Django on the benchmark's database, prints a JSON of requests.

Usage: prepare_payments.py providers | crowd | calls
`providers`: open deposits of many people, with Payme's four calls for each, and signed Stripe events for others.
`crowd`: a thousand people with tokens, each with a request that opens a deposit.
`calls`: Payme's calls for the deposits that the crowd has opened.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

django.setup()

from django.conf import settings
from django.utils import timezone

from marketplace.accounts import tokens
from marketplace.accounts.models import User
from marketplace.payments.models import PaymentMethod, Transaction

PEOPLE = 1000
PAYMENTS = int(os.environ.get("BENCH_PAYMENTS", "3000"))
AMOUNT = 50_000_00
HOST = "127.0.0.1"


def post(path: str, body: str, **headers: str) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n"
        f"{lines}Content-Length: {len(body)}\r\n\r\n{body}"
    )


def people() -> list[User]:
    """A thousand of them, so that no two payments wait for one wallet more often than in life."""
    wanted = [f"payer{number}@wibestore.test" for number in range(PEOPLE)]
    known = set(User.objects.filter(email__in=wanted).values_list("email", flat=True))
    User.objects.bulk_create(
        User(email=email, full_name=f"Payer {number}", password="!", is_verified=True)
        for number, email in enumerate(wanted)
        if email not in known
    )
    return list(User.objects.filter(email__in=wanted))


def deposits(code: str, count: int) -> list[Transaction]:
    method, payers = PaymentMethod.objects.get(code=code), people()
    rows = [
        Transaction(
            user=payers[number % PEOPLE],
            amount=AMOUNT,
            currency="UZS",
            type=Transaction.Type.DEPOSIT,
            purpose="deposit",
            payment_method=method,
            idempotency_key=uuid4().hex,
        )
        for number in range(count)
    ]
    return Transaction.objects.bulk_create(rows, batch_size=1000)


def payme(reference: object) -> list[str]:
    """The calls of one payment, in the order in which Payme makes them."""
    config = settings.PAYMENT_CONFIG["payme"]
    pair = base64.b64encode(f"{config['login']}:{config['key']}".encode()).decode()
    number, account = secrets.token_hex(12), {"transaction_id": str(reference)}
    created = {"id": number, "time": int(time.time() * 1000), "amount": AMOUNT, "account": account}
    calls = (
        ("CheckPerformTransaction", {"amount": AMOUNT, "account": account}),
        ("CreateTransaction", created),
        ("PerformTransaction", {"id": number}),
        ("CheckTransaction", {"id": number}),
    )
    return [
        post(
            "/api/v1/payments/webhooks/payme/",
            json.dumps({"id": place, "method": method, "params": params}),
            Authorization=f"Basic {pair}",
        )
        for place, (method, params) in enumerate(calls)
    ]


def stripe(reference: object) -> str:
    """A signed checkout.session.completed."""
    session = {
        "id": f"cs_test_{secrets.token_hex(12)}",
        "object": "checkout.session",
        "amount_total": AMOUNT,
        "currency": "uzs",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": f"pi_{secrets.token_hex(12)}",
        "client_reference_id": str(reference),
        "metadata": {"transaction_id": str(reference)},
    }
    event = {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": session},
    }
    body, stamp = json.dumps(event), int(time.time()) + 240  # read within minutes, judged by its age
    secret = settings.PAYMENT_CONFIG["stripe"]["webhook_secret"].encode()
    sign = hmac.new(secret, f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return post("/api/v1/payments/webhooks/stripe/", body, Stripe_Signature=f"t={stamp},v1={sign}")


def providers() -> dict:
    return {
        "Payme's calls": {
            "requests": [payme(payment.pk) for payment in deposits("payme", PAYMENTS // 2)],
            "once": True,
        },
        "Stripe completed": {
            "requests": [stripe(payment.pk) for payment in deposits("stripe", PAYMENTS)],
            "once": True,
        },
    }


def crowd() -> dict:
    body = json.dumps({"amount": "50000.00", "provider": "payme"})
    requests = [
        post(
            "/api/v1/payments/deposit/",
            body,
            Authorization=f"Bearer {tokens.issue(user=user).access}",
            Idempotency_Key=uuid4().hex,
        )
        for user in people()
    ]
    return {"requests": requests, "once": True, "expect": 201}


def calls() -> dict:
    lately = timezone.now() - timedelta(minutes=10)
    opened = Transaction.objects.filter(
        payment_method__code="payme",
        status="pending",
        user__email__startswith="payer",
        metadata__has_key="payment_url",
        created_at__gt=lately,
    )
    return {"requests": [payme(key) for key in opened.values_list("pk", flat=True)], "once": True}


json.dump({"providers": providers, "crowd": crowd, "calls": calls}[sys.argv[1]](), sys.stdout)
