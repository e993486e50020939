"""Very many offers, for benchmarks: bulk rows without pictures of their own."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.games.models import Game
from marketplace.listings.models import Listing
from marketplace.listings.services.bulk import import_listings
from marketplace.subscriptions.models import Period
from project.seed.offers import key_of, offer
from project.seed.plans import subscribe

BATCH = 2000
SELLERS = 200
FIRST = 1_000_000  # numbers of the demo's own offers stay below


def sellers() -> list[User]:
    """Sellers of the crowd; nobody can sign in as one of them."""
    wanted = [f"crowd{number}@wibestore.test" for number in range(SELLERS)]
    there = set(User.objects.filter(email__in=wanted).values_list("email", flat=True))
    plans = ["free"] * 7 + ["premium"] * 2 + ["pro"]
    User.objects.bulk_create(
        [
            User(
                email=email, full_name=f"Seller {number}", password="!", language=["uz", "ru", "en"][number % 3],  # nosec B106 (unusable)
                rating=4 + number % 10 / 10 if number % 4 else None, rating_count=number if number % 4 else 0,
            )
            for number, email in enumerate(wanted) if email not in there
        ]
    )  # fmt: skip
    crowd = dict(User.objects.filter(email__in=wanted).values_list("email", "pk"))
    for number, email in enumerate(wanted):
        if email not in there and plans[number % 10] != "free":
            subscribe(User.objects.get(pk=crowd[email]), plans[number % 10], Period.YEARLY)
    return list(User.objects.filter(email__in=wanted).order_by("email"))


def fill_up(games: Sequence[Game], count: int, *, say: Callable[[str], None]) -> int:
    """Add offers until so many are on sale; how many were added."""
    missing = count - Listing.objects.on_sale().count()
    crowd, now = sellers(), timezone.now()
    added = 0
    number = FIRST + Listing.objects.filter(seller__in=crowd).count()
    while added < missing:
        batch = []
        for _one in range(min(BATCH, missing - added)):
            number += 1
            rng = random.Random(number)  # nosec B311
            at = now - timedelta(minutes=20 + (number - FIRST) % 100_000)
            one = offer(
                rng.choice(games),
                rng.choice(crowd),
                rng,
                key=key_of(number, at),
                at=at,
                status=Listing.Status.ACTIVE,
            )
            batch.append(one)
        import_listings(batch)
        added += len(batch)
        say(f"{added} of {missing}")
    if added > 0:
        with connection.cursor() as cursor:
            # A planner that still believes in a small table would choose the wrong indexes.
            cursor.execute("ANALYZE")
    return max(added, 0)
