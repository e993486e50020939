"""Whom `make sockets` lets talk: run inside Django on its database, prints a JSON of conversations and cookies.

Usage: prepare_sockets.py COUNT. Each of COUNT conversations is of two people whom no other one has, so that nothing is shared
that would not be shared in life. People and conversations are kept between runs; sessions are new and last an hour.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.live.pace import MESSAGES, WINDOW
from marketplace.core.realtime import group
from marketplace.messaging.models import Conversation, Participant
from marketplace.messaging.services.threads import topic


def people(count: int) -> list[User]:
    emails = [f"socket{number}@wibestore.test" for number in range(count)]
    known = {user.email: user for user in User.objects.filter(email__in=emails)}
    new = [
        User(email=email, full_name=f"Socket {number}", password="!", is_verified=True)
        for number, email in enumerate(emails)
        if email not in known
    ]
    known |= {user.email: user for user in User.objects.bulk_create(new)}
    return [known[email] for email in emails]


def conversations(pairs: list[tuple[User, User]]) -> list[Conversation]:
    firsts = [one for one, _other in pairs]
    known = {
        (found.buyer_id, found.seller_id): found
        for found in Conversation.objects.filter(buyer__in=firsts, listing=None)
    }
    new = Conversation.objects.bulk_create(
        Conversation(buyer=one, seller=other) for one, other in pairs if (one.pk, other.pk) not in known
    )
    Participant.objects.bulk_create(
        Participant(conversation=made, user_id=user_id)
        for made in new
        for user_id in (made.buyer_id, made.seller_id)
    )
    known |= {(made.buyer_id, made.seller_id): made for made in new}
    return [known[one.pk, other.pk] for one, other in pairs]


def cookie(user: User) -> str:
    """That of a signed-in browser."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(3600)
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def main() -> None:
    count = int(sys.argv[1])
    everyone = people(2 * count)
    pairs = list(zip(everyone[::2], everyone[1::2], strict=True))
    threads = conversations(pairs)
    # Nothing of an earlier run waits to be read.
    Participant.objects.filter(conversation__in=threads).update(unread=0, last_read_at=timezone.now())
    rooms = [
        {
            "room": str(thread.pk),
            "people": [str(one.pk), str(other.pk)],
            "cookies": [cookie(one), cookie(other)],
            "topic": topic(thread.pk),
            "group": group(topic(thread.pk)),
        }
        for thread, (one, other) in zip(threads, pairs, strict=True)
    ]
    json.dump({"rooms": rooms, "pace": MESSAGES * 60 / WINDOW}, sys.stdout)


main()
