"""The parts of `kill.py` that run inside Django: making who pays, buys and withdraws, and judging what came of it."""

import base64
import json
import secrets
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

django.setup()

from importlib import import_module
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.middleware.csrf import _get_new_csrf_string
from django.utils import timezone

from marketplace.accounts import tokens
from marketplace.accounts.models import User
from marketplace.core.models import Job
from marketplace.escrow.models import EscrowTransaction
from marketplace.games.models import Game
from marketplace.ledger import accounts, checks
from marketplace.ledger.models import JournalEntry, Posting
from marketplace.ledger.services import post
from marketplace.listings.models import Listing
from marketplace.payments import services
from marketplace.payments.models import PaymentMethod, Transaction, WebhookEvent

AMOUNT = 50_000_00
PRICE = 70_000_00
PASSWORD = "kill-bench-77"
WALLET = 10_000_000_00


def person(number: int, role: str) -> User:
    return User.objects.create_user(
        f"{role}{number}@wibestore.test", PASSWORD, full_name=f"{role.title()} {number}", is_verified=True
    )


def request(path: str, body: str, **headers: str) -> dict:
    return {
        "path": path,
        "body": body,
        "headers": {"Host": "127.0.0.1", "Content-Type": "application/json", **headers},
    }


def payme(payment: Transaction) -> dict:
    config = settings.PAYMENT_CONFIG["payme"]
    pair = base64.b64encode(f"{config['login']}:{config['key']}".encode()).decode()
    number, account = secrets.token_hex(12), {"transaction_id": str(payment.pk)}
    created = {"id": number, "time": int(time.time() * 1000), "amount": AMOUNT, "account": account}

    def call(method: str, params: dict) -> dict:
        body = json.dumps({"id": 1, "method": method, "params": params})
        return request("/api/v1/payments/webhooks/payme/", body, Authorization=f"Basic {pair}")

    return {
        "create": call("CreateTransaction", created),
        "perform": call("PerformTransaction", {"id": number}),
    }


def session_of(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def purchase(listing: Listing, cookie: str) -> tuple[dict, str]:
    token, key = _get_new_csrf_string(), str(uuid4())
    body = urlencode({"method": "balance", "key": key, "price": PRICE, "csrfmiddlewaretoken": token})
    headers = {
        "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return request(f"/listings/{listing.pk}/buy/", body, **headers), key


def prepare(count: int) -> dict:
    payers = [person(number, "payer") for number in range(20)]
    seller = person(0, "seller")
    for user in payers:
        post(
            JournalEntry.Kind.DEPOSIT,
            key=f"kill:{user.pk}",
            currency="UZS",
            legs={accounts.clearing("payme"): -WALLET, accounts.available(user.pk): WALLET},
        )
    method, game = PaymentMethod.objects.get(code="payme"), Game.objects.first()
    cookies = [session_of(user) for user in payers]
    access = [tokens.issue(user=user).access for user in payers]
    plans: dict[str, list] = {"payment": [], "purchase": [], "payout": []}
    facts: dict[str, list] = {
        "payment": [],
        "purchase": [],
        "payout": [],
        "payers": [str(user.pk) for user in payers],
    }
    for number in range(count):
        who = number % len(payers)
        if number % 5 < 3:
            payment = Transaction.objects.create(
                user=payers[who],
                amount=AMOUNT,
                type=Transaction.Type.DEPOSIT,
                purpose="deposit",
                payment_method=method,
                idempotency_key=uuid4().hex,
            )
            plans["payment"].append(payme(payment))
            facts["payment"].append(str(payment.pk))
        elif number % 5 == 3:
            listing = Listing.objects.create(
                seller=seller,
                game=game,
                title=f"Account {number}",
                description="An account to be bought while the server dies.",
                price=PRICE,
                status=Listing.Status.ACTIVE,
                approved_at=timezone.now(),
            )
            plan, key = purchase(listing, cookies[who])
            plans["purchase"].append(plan)
            facts["purchase"].append(key)
        else:
            key = uuid4().hex
            body = {"amount": "20000.00", "card_number": "8600000000000007", "password": PASSWORD}
            plans["payout"].append(
                request(
                    "/api/v1/payments/withdraw/",
                    json.dumps(body),
                    **{"Authorization": f"Bearer {access[who]}", "Idempotency-Key": key},
                )
            )
            facts["payout"].append(key)
    return {"plans": plans, "facts": facts}


def judge(facts: dict) -> dict:
    at = timezone.now() + timedelta(minutes=5)  # past the sweepers' grace
    stored = WebhookEvent.objects.filter(status="received").count()
    waiting = Job.objects.filter(status="pending").count()
    services.sweep_webhooks(at=at)
    services.sweep_pending(at=at)
    counts = {
        "payment": _entries([f"payment:{key}:settle" for key in facts["payment"]]),
        "purchase": _purchases(facts["purchase"]),
        "payout": _payouts(facts["payout"]),
    }
    wrong = _wallets(facts)
    proofs = checks.run()
    return {
        "once": {kind: sum(n == 1 for n in some) for kind, some in counts.items()},
        "twice": {kind: sum(n > 1 for n in some) for kind, some in counts.items()},
        "lost": {kind: sum(n == 0 for n in some) for kind, some in counts.items()},
        "proofs": [(proof.rule, proof.holds) for proof in proofs],
        "wrong": wrong,
        "stored_webhooks": stored,
        "waiting_jobs": waiting,
        "stored_webhooks_after": WebhookEvent.objects.filter(status="received").count(),
        "is_right": not wrong
        and all(proof.holds for proof in proofs)
        and all(n == 1 for some in counts.values() for n in some),
    }


def _entries(keys: list[str]) -> list[int]:
    """How often each payment's money came in: by the postings, not by what the payment says of itself."""
    found = Counter(
        JournalEntry.objects.filter(
            kind="deposit", reference__in=[UUID(key.split(":")[1]) for key in keys]
        ).values_list("reference", flat=True)
    )
    return [found[UUID(key.split(":")[1])] for key in keys]


def _purchases(keys: list[str]) -> list[int]:
    paid = EscrowTransaction.objects.filter(idempotency_key__in=keys, paid_at__isnull=False)
    held = Counter()
    for key, pk in paid.values_list("idempotency_key", "pk"):
        held[key] += JournalEntry.objects.filter(key=f"trade:{pk}:hold").count()
    return [held[key] for key in keys]


def _payouts(keys: list[str]) -> list[int]:
    asked = Transaction.objects.filter(type="withdrawal", idempotency_key__in=keys)
    moved = Counter()
    for key, pk in asked.values_list("idempotency_key", "pk"):
        moved[key] += JournalEntry.objects.filter(kind="withdrawal", reference=pk).count()
    return [moved[key] for key in keys]


def _wallets(facts: dict) -> list[str]:
    """All payers' money together, counted from what was asked for, beside what the postings say."""
    expected = (
        len(facts["payers"]) * WALLET
        + AMOUNT * len(facts["payment"])
        - PRICE * len(facts["purchase"])
        - 20_000_00 * len(facts["payout"])
    )
    amounts = Posting.objects.filter(
        account__owner_id__in=facts["payers"], account__kind="available"
    ).values_list("amount", flat=True)
    found = sum(amounts)
    return [] if found == expected else [f"- the wallets hold {found}, and should hold {expected}"]


given = json.load(sys.stdin)
json.dump({"prepare": prepare, "judge": judge}[sys.argv[1]](given), sys.stdout)
