"""Who listens to what, and that every notification is given the words it needs."""

import ast
import re
from pathlib import Path

from django.conf import settings
from django.utils import translation

from marketplace.core import announce
from marketplace.listings.facts import ListingSubmitted
from marketplace.moderation.services import tell_moderators
from marketplace.notifications.kinds import KINDS
from project.listeners import wire

MARKETPLACE = Path(settings.BASE_DIR) / "marketplace"
# Functions through which apps notify, and what each adds by itself.
WAYS = {
    ("messaging/services/messages.py", "notify"): set(),
    ("moderation/services.py", "notify"): set(),
    ("notifications/services/", "notify"): set(),
    ("escrow/", "tell"): {"title", "amount"},
    ("listings/services/decisions.py", "_tell"): {"title"},
    ("payments/services/debts.py", "notify"): set(),
    ("payments/services/deposits.py", "_tell"): {"amount"},
    ("payments/services/refunds.py", "_tell"): {"amount", "method"},
    ("subscriptions/services/", "tell"): set(),
    ("payments/services/withdrawals.py", "_tell"): {"amount", "destination"},
}
# The functions behind those ways; each stands in `WAYS` with what it gives.
WRAPPERS = {"escrow/services/_steps.py", "listings/services/decisions.py", "payments/services/deposits.py",
            "payments/services/refunds.py", "payments/services/withdrawals.py",
            "subscriptions/services/_steps.py"}  # fmt: skip


def told():
    """(file, kind, words that are given) of every call that names its kind."""
    for file in MARKETPLACE.rglob("*.py"):
        path = file.relative_to(MARKETPLACE).as_posix()
        if "tests" in file.parts:
            continue
        for call in ast.walk(ast.parse(file.read_text())):
            name = getattr(call.func, "id", "") if isinstance(call, ast.Call) else ""
            if name not in {"notify", "tell", "_tell"} or (name == "notify" and path in WRAPPERS):
                continue
            if path == "core/announce.py":
                continue
            by_itself = next(
                (words for (where, way), words in WAYS.items() if path.startswith(where) and way == name),
                None,
            )
            assert by_itself is not None, f"{path} has a way of its own to notify: add it to WAYS"
            named = {word.arg: word.value for word in call.keywords}
            values = [*call.args, *named.values()]
            kinds = [one.value for one in values if isinstance(one, ast.Constant) and one.value in KINDS]
            context = named.get("context")
            keys = {key.value for key in context.keys if key} if isinstance(context, ast.Dict) else set()
            for kind in kinds:
                yield path, kind, by_itself | keys | set(named)


def test_every_notification_is_given_the_words_it_needs():
    found = list(told())

    assert len(found) > 15
    with translation.override("en"):
        for path, kind, given in found:
            needed = set(re.findall(r"%\((\w+)\)s", f"{KINDS[kind].title} {KINDS[kind].message}"))
            assert needed <= given, f"{path} tells {kind!r} without {needed - given}"


def test_moderators_listen_for_new_offers_and_wiring_twice_changes_nothing():
    before = {fact: list(listeners) for fact, listeners in announce._listeners.items()}

    wire()

    assert tell_moderators in announce._listeners[ListingSubmitted]
    assert {fact: list(listeners) for fact, listeners in announce._listeners.items()} == before
