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
from django.contrib.auth.models import Permission
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
from marketplace.payments.models import PaymentMethod, Refund, Transaction, WebhookEvent
from marketplace.payments.providers.base import Settle
from marketplace.payments.providers.click import ClickProvider
from marketplace.subscriptions import services as subscriptions
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription

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


def funded(number: int, role: str) -> User:
    """Somebody with a full wallet."""
    user = person(number, role)
    post(
        JournalEntry.Kind.DEPOSIT,
        key=f"kill:{user.pk}",
        currency="UZS",
        legs={accounts.clearing("payme"): -WALLET, accounts.available(user.pk): WALLET},
    )
    return user


def form(path: str, cookie: str, fields: dict) -> dict:
    token = _get_new_csrf_string()
    headers = {
        "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return request(path, urlencode({**fields, "csrfmiddlewaretoken": token}), **headers)


def refund(payer: User, clerk_cookie: str, number: int) -> tuple[dict, str]:
    """A payment that was made through a provider which gives money back, and the press of the refund desk's button."""
    payment = Transaction.objects.create(
        user=payer,
        amount=AMOUNT,
        type=Transaction.Type.DEPOSIT,
        purpose="deposit",
        payment_method=PaymentMethod.objects.get(code="click"),
        idempotency_key=uuid4().hex,
    )
    services.act(Settle(payment.pk, f"{7_000_000 + number}", AMOUNT), "click")
    fields = {"key": uuid4().hex, "amount": f"{AMOUNT // 100}", "reason": "Killed while refunding"}
    return form(f"/desk/payments/{payment.pk}/", clerk_cookie, fields), str(payment.pk)


def plan_purchase(buyer: User) -> dict:
    headers = {
        "Authorization": f"Bearer {tokens.issue(user=buyer).access}",
        "Idempotency-Key": uuid4().hex,
    }
    body = json.dumps({"plan": "premium", "period": "monthly"})
    return request("/api/v1/subscriptions/purchase/", body, **headers)


def due_renewal(number: int, plan: SubscriptionPlan) -> str:
    """A month of a plan that was over an hour ago."""
    bought = subscriptions.purchase(
        user=funded(number, "renewer"), plan=plan, period=Period.MONTHLY, idempotency_key=uuid4().hex
    )
    over = timezone.now() - timedelta(hours=1)
    past = {"starts_at": over - timedelta(days=30), "ends_at": over, "due_at": over}
    UserSubscription.objects.filter(pk=bought.pk).update(**past)
    return str(bought.pk)


def renew() -> None:
    """What the worker does by the clock, again and again until it is killed."""
    while True:
        renew_due(pause=0.1)
        time.sleep(0.1)


def renew_due(*, pause: float = 0.0) -> None:
    """One after the other, with so many seconds between: the kills come in the middle."""
    for pk in list(UserSubscription.objects.due(timezone.now()).values_list("pk", flat=True)):
        subscriptions.auto_renew(subscription_id=pk, at=timezone.now())
        time.sleep(pause)


def purchase(listing: Listing, cookie: str) -> tuple[dict, str]:
    key = str(uuid4())
    fields = {"method": "balance", "key": key, "price": PRICE}
    return form(f"/listings/{listing.pk}/buy/", cookie, fields), key


def prepare(count: int) -> dict:
    payers = [funded(number, "payer") for number in range(20)]
    seller = person(0, "seller")
    clerk = person(0, "clerk")
    User.objects.filter(pk=clerk.pk).update(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="refund_payment"))
    clerk_cookie, premium = session_of(clerk), SubscriptionPlan.objects.get(slug="premium")
    method, game = PaymentMethod.objects.get(code="payme"), Game.objects.first()
    cookies = [session_of(user) for user in payers]
    access = [tokens.issue(user=user).access for user in payers]
    plans: dict[str, list] = {"payment": [], "purchase": [], "payout": [], "refund": [], "plan": []}
    facts: dict[str, list] = {
        **{kind: [] for kind in (*plans, "renewal")},
        "payers": [str(user.pk) for user in payers],
    }
    for number in range(count // 10):
        pressed, payment_id = refund(payers[number % len(payers)], clerk_cookie, number)
        plans["refund"].append(pressed)
        facts["refund"].append(payment_id)
        subscriber = funded(number, "subscriber")
        plans["plan"].append(plan_purchase(subscriber))
        facts["plan"].append(str(subscriber.pk))
        facts["renewal"].append(due_renewal(number, premium))
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
    sent = _send_refunds()
    renewed = sum(_renewals(facts["renewal"]))
    renew_due()
    counts = {
        "payment": _entries([f"payment:{key}:settle" for key in facts["payment"]]),
        "purchase": _purchases(facts["purchase"]),
        "payout": _payouts(facts["payout"]),
        "refund": _refunds(facts["refund"]),
        "plan": _plans(facts["plan"]),
        "renewal": _renewals(facts["renewal"]),
    }
    wrong = [*_wallets(facts), *_subscribers(facts)]
    if any(times != 1 for times in sent.values()) or len(sent) != len(facts["refund"]):
        wrong.append(f"- the provider was asked for {len(sent)} refunds, {sum(sent.values())} times")
    proofs = checks.run()
    return {
        "once": {kind: sum(n == 1 for n in some) for kind, some in counts.items()},
        "twice": {kind: sum(n > 1 for n in some) for kind, some in counts.items()},
        "lost": {kind: sum(n == 0 for n in some) for kind, some in counts.items()},
        "proofs": [(proof.rule, proof.holds) for proof in proofs],
        "wrong": wrong,
        "stored_webhooks": stored,
        "waiting_jobs": waiting,
        "renewed_before": renewed,
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


def _send_refunds() -> Counter[UUID]:
    """The sweeper asks the provider, here played by a list: how often it was asked for each refund."""
    asked: Counter[UUID] = Counter()

    def give_back(_provider: ClickProvider, row: Refund) -> str:
        asked[row.pk] += 1
        return f"click-{row.pk}"

    ClickProvider.refund = give_back
    while services.sweep_refunds(at=timezone.now() + timedelta(hours=2)):
        pass
    return asked


def _refunds(payments: list[str]) -> list[int]:
    """How often the money of each payment left the wallet, and at most as often as it reached the payer."""
    taken = Counter(
        JournalEntry.objects.filter(key__startswith="payment:", kind="deposit_refund").values_list(
            "reference", flat=True
        )
    )
    done = Counter(
        Refund.objects.filter(status="succeeded", amount=AMOUNT).values_list("payment_id", flat=True)
    )
    return [taken[UUID(pk)] if done[UUID(pk)] == taken[UUID(pk)] else 2 for pk in payments]


def _plans(people: list[str]) -> list[int]:
    running = Counter(UserSubscription.objects.current().values_list("user_id", flat=True))
    paid = Counter(
        Posting.objects.filter(
            account__owner_id__in=people, account__kind="available", entry__kind="subscription"
        ).values_list("account__owner_id", flat=True)
    )
    return [paid[UUID(pk)] if running[UUID(pk)] == 1 else 0 for pk in people]


def _renewals(subscriptions_: list[str]) -> list[int]:
    """How often each was paid after its first month."""
    paid = Counter(
        JournalEntry.objects.filter(kind="subscription", reference__in=subscriptions_).values_list(
            "reference", flat=True
        )
    )
    return [paid[UUID(pk)] - 1 for pk in subscriptions_]


def _subscribers(facts: dict) -> list[str]:
    """Who has bought one month, and who had one renewed: their money together."""
    price = SubscriptionPlan.objects.get(slug="premium").price_monthly
    renewers = UserSubscription.objects.filter(pk__in=facts["renewal"]).values_list("user_id", flat=True)
    wrong = []
    for who, months in ((facts["plan"], 1), (list(renewers), 2)):
        rows = Posting.objects.filter(account__owner_id__in=who, account__kind="available")
        found, expected = sum(rows.values_list("amount", flat=True)), len(who) * (WALLET - months * price)
        if found != expected:
            wrong.append(f"- the wallets of subscribers hold {found}, and should hold {expected}")
    return wrong


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


if sys.argv[1] == "renew":
    renew()
given = json.load(sys.stdin)
json.dump({"prepare": prepare, "judge": judge}[sys.argv[1]](given), sys.stdout)
