"""What the benchmark asks for: run inside Django on the benchmark's database, prints a JSON of raw requests.

Usage: prepare.py (settings and database from the environment). Makes buyers with money and sessions, picks listings,
composes searches that were never asked before, and counts the queries of each page.
"""

import json
import os
import random
import sys
import uuid
from pathlib import Path
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from marketplace.core import frame, page_cache
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.listings import fragments
from marketplace.listings.models import Listing

BUYERS = 24
PURCHASES = int(os.environ.get("BENCH_PURCHASES", "4000"))
HOST = "127.0.0.1"


def session_of(user: User) -> str:
    """The cookie of a signed-in browser."""
    from importlib import import_module

    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}; {settings.LANGUAGE_COOKIE_NAME}=uz"


def get(path: str, cookie: str = "") -> str:
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: Mozilla/5.0 (bench)\r\nAccept-Language: uz\r\n"
    )
    return head + (f"Cookie: {cookie}\r\n" if cookie else "") + "\r\n"


def post_form(path: str, cookie: str, fields: dict) -> str:
    token = _get_new_csrf_string()
    body = urlencode({**fields, "csrfmiddlewaretoken": token})
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: Mozilla/5.0 (bench)\r\n"
        f"Cookie: {cookie}; {settings.CSRF_COOKIE_NAME}={token}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def buyers() -> list[User]:
    people = []
    for number in range(BUYERS):
        user, _made = User.objects.get_or_create(
            email=f"bench{number}@wibestore.test",
            defaults={"full_name": f"Bench {number}", "password": "!", "is_verified": True},
        )
        post(
            JournalEntry.Kind.DEPOSIT,
            key=f"bench:{uuid.uuid4()}",
            currency="UZS",
            legs={accounts.clearing("sandbox"): -(10**13), accounts.available(user.pk): 10**13},
        )
        people.append(user)
    return people


def searches(rng: random.Random) -> list[str]:
    """Two words of some title each, as a buyer types who is after such an account; no two alike."""
    floor = Listing.objects.on_sale().order_by("pk").values_list("pk", flat=True)[rng.randint(0, 1000)]
    titles = list(
        Listing.objects.on_sale()
        .filter(pk__gte=floor)
        .order_by("pk")
        .values_list("search_title", flat=True)[:90_000:4]
    )
    asked: set[str] = set()
    for title in titles:
        words = [word for word in title.split() if len(word) > 2]
        if len(words) > 1:
            asked.add(" ".join(rng.sample(words, k=2)))
    mixed = sorted(asked)
    rng.shuffle(mixed)
    return mixed


def queries(path: str, user: User | None = None) -> int:
    """How many queries the page takes when nothing is in this process's memory but what every process has."""
    client = Client(headers={"host": HOST})
    if user:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(path)
    for memory in (page_cache, frame, fragments):
        memory.forget_all()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(path)
    return len(captured)


def main() -> None:
    rng = random.Random()
    people = buyers()
    cookies = [session_of(user) for user in people]
    shelf = list(
        Listing.objects.on_sale().order_by("-pk").values_list("pk", "price", "seller_id")[: PURCHASES + 400]
    )
    to_buy, to_see = shelf[:PURCHASES], shelf[PURCHASES:]
    asked = searches(rng)
    plans = {
        "bare view": {"requests": [get("/health/live/")]},
        "anonymous catalogue": {"requests": [get("/listings/")]},
        "listing page": {"requests": [get(f"/listings/{pk}/") for pk, _price, _seller in to_see[:50]]},
        "search, never asked before": {
            "requests": [get(f"/listings/?q={quote(query)}") for query in asked],
            "once": True,
        },
        "signed-in catalogue": {"requests": [get("/listings/", cookie) for cookie in cookies]},
        "purchase": {
            "requests": [
                post_form(
                    f"/listings/{pk}/buy/",
                    cookies[number % BUYERS],
                    {"method": "balance", "key": str(uuid.uuid4()), "price": price},
                )
                for number, (pk, price, _seller) in enumerate(to_buy)
            ],
            "expect": 302,
            "once": True,
        },
    }
    counts = {
        "anonymous catalogue": queries("/listings/"),
        "listing page": queries(f"/listings/{to_see[0][0]}/"),
        "search, never asked before": queries(f"/listings/?q={quote(asked[-1])}"),
        "signed-in catalogue": queries("/listings/", people[0]),
    }
    json.dump({"plans": plans, "queries": counts, "on_sale": Listing.objects.on_sale().count()}, sys.stdout)


main()
