"""Every mail with made-up words: what developers look at, and what the tests go through."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.core import dates
from marketplace.core.countries import place_of
from marketplace.core.money import Money
from marketplace.notifications import mail
from marketplace.notifications.groups import COMPULSORY
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.letter_parts import facts_of, step_of, template_of

_NOON = datetime(2026, 3, 5, 7, 0, tzinfo=UTC)
_PERSON = "Aziza Karimova"
_WORDS: dict[str, Any] = {
    "title": "Conqueror S24, M416 Glacier max",
    "amount": Money(1_680_000_00, "UZS"),
    "part": Money(420_000_00, "UZS"),
    "fee": Money(168_000_00, "UZS"),
    "missing": Money(49_000_00, "UZS"),
    "debt": Money(150_000_00, "UZS"),
    "seller": "Aziz Karimov",
    "buyer": "Jasur Aliyev",
    "person": "Jasur Aliyev",
    "reason": "Rasmlar boshqa akkauntdan olingan",
    "destination": "Humo •• 4242",
    "card": "Humo •• 4242",
    "method": "Payme",
    "plan": "Premium",
    "device": "Chrome, Android",
    "factor": "Chrome, Android",
    "way": "Google (aziza@gmail.com)",
    "count": 9,
    "place": lazy(place_of, str)("91.203.174.12"),
    "address": "aziza@example.uz",
    "name": "@aziza_k",
    "number": "1204",
    "rules": "—",
    "deadline": _NOON,
    "time": _NOON,
}

type Sample = Callable[[], tuple[str, str, dict[str, Any]]]


def _told(kind: str) -> Sample:
    """Template, subject and context of a kind's mail, as `services.email` would make them."""

    def make() -> tuple[str, str, dict[str, Any]]:
        words = KINDS[kind]
        values = {name: _text(value) for name, value in _WORDS.items()}
        title, text = str(words.title) % values, str(words.message) % values
        used = {
            name: value for name, value in values.items() if f"%({name})s" in f"{words.title} {words.message}"
        }
        context = {
            "title": title,
            "text": text,
            "tone": words.tone,
            "name": _PERSON,
            "action": str(words.action),
            "action_url": f"{settings.SITE_URL}/trades/01a1fc1f/",
            "facts": facts_of(used),
            "steps": step_of(kind),
            "is_country_new": True,
            "unsubscribe_url": ""
            if kind in COMPULSORY
            else f"{settings.SITE_URL}/notifications/unsubscribe/…/",
        }
        return template_of(kind), title, context

    return make


def _text(value: Any) -> str:
    return dates.day_and_time(timezone.localtime(value)) if isinstance(value, datetime) else str(value)


def _account(template: str, link: str, path: str) -> Sample:
    context = {link: settings.SITE_URL + path}
    return lambda: (template, "", {"name": _PERSON, **context})


def _code() -> tuple[str, str, dict[str, Any]]:
    link = f"{settings.SITE_URL}/accounts/password/reset/"
    return "sign_in_code", "", {"name": _PERSON, "code": "204816", "password_reset_url": link}


def _receipt() -> tuple[str, str, dict[str, Any]]:
    title, amount = _("Top-up"), str(Money(150_000_00, "UZS"))
    context = {
        "name": _PERSON,
        "row": {"number": "48221"},
        "title": title,
        "amount": amount,
        "method": "Payme",
        "time": _text(_NOON),
        "action_url": f"{settings.SITE_URL}/wallet/",
    }
    return (
        "transaction_receipt",
        _("Receipt: %(title)s, %(amount)s") % {"title": title, "amount": amount},
        context,
    )


def _digest() -> tuple[str, str, dict[str, Any]]:
    lines = [_told(kind)()[2] for kind in ("trade_started", "listing_approved", "plan_ending")]
    title = ngettext("%(count)s notification waits for you", "%(count)s notifications wait for you", 5) % {
        "count": 5
    }
    context = {
        "title": title,
        "name": _PERSON,
        "items": [{"title": one["title"], "text": one["text"], "time": _text(_NOON)} for one in lines],
        "more": 2,
        "list_url": f"{settings.SITE_URL}/notifications/?show=unread",
        "unsubscribe_url": f"{settings.SITE_URL}/notifications/unsubscribe/…/",
    }
    return "digest", title, context


SAMPLES: dict[str, Sample] = {
    "welcome": _account("welcome", "site_url", ""),
    "email-verification": _account("email_verification", "activate_url", "/accounts/confirm-email/MQ:1w4x/"),
    "password-reset": _account("password_reset", "password_reset_url", "/accounts/password/reset/key/1-abc/"),
    "sign-in-code": _code,
    "account-already-exists": _account(
        "account_already_exists", "password_reset_url", "/accounts/password/reset/"
    ),
    "unknown-account": _account("unknown_account", "signup_url", "/accounts/signup/"),
    "account-deleted": _account("account_deleted", "signup_url", "/accounts/signup/"),
    "transaction-receipt": _receipt,
    "digest": _digest,
    **{kind.replace("_", "-"): _told(kind) for kind, words in KINDS.items() if words.by_email},
}
# To people we do not know, or to an address that is not theirs yet.
_WITHOUT_PHRASE = {"email-verification", "unknown-account", "account-deleted"}


def letter(name: str, language: str, *, phrase: str = "Qora choy, ikki qand") -> mail.Letter:
    """The mail as its reader gets it."""
    with translation.override(language):
        template, subject, context = SAMPLES[name]()
        head = {
            "is_known": True,
            "phrase": phrase,
            "preferences_url": f"{settings.SITE_URL}/notifications/preferences/",
        }
        return mail.render(
            template=template,
            subject=subject,
            context={**context, **({} if name in _WITHOUT_PHRASE else head)},
        )
