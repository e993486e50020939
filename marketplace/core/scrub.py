"""Taking secrets out of what is written down: log lines, tracebacks, error reports.

What is secret is known by its name (a field, a header, a setting), by its form (a token, a card's number, a link of a mail), or
because it is one of our own settings. Better a word too few in a log than a password in it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.signals import setting_changed

HIDDEN = "***"

# Names of what is secret, wherever they stand within a longer name: `new_password1`, `X-CSRFToken`, `TELEGRAM_BOT_TOKEN`.
_TELLING = (
    r"passw(?:or)?d|passphrase|pwd|parol|secret|token|api[_-]?key|private[_-]?key|fernet[_-]?key|signing[_-]?key|access[_-]?key"
    r"|authorization|cookie|csrf|session[_-]?(?:id|key)|ticket|credential|dsn|cvv|cvc|card[_-]?number|recovery|backup[_-]?code"
    r"|account[_-]?(?:email|password)|phrase|otp"
)
_NAME = re.compile(_TELLING, re.IGNORECASE)
# Names that are secret only as a whole: "code" is one of a factor, "status_code" is not.
_NAMES = {
    "code",
    "key",
    "pan",
    "pin",
    "seed",
    "sign",
    "signature",
    "access",
    "refresh",
    "login",
    "mfa.totp.secret",
}
# Names that only sound so.
_HARMLESS = re.compile(
    r"(?:_name|_age|_path|_domain|_samesite|_secure|_httponly|_timeout|_classes|_hashers|_validators|_lifetime|_count|_type|_at"
    r"|_length)$|^(?:csrf_exempt|password_reset)$",
    re.IGNORECASE,
)

# Every repetition has an end or starts at the beginning of a word: strangers choose what is read here.
_QUOTED = r"b?'(?:[^'\\\n]|\\.)*'?|b?\"(?:[^\"\\\n]|\\.)*\"?"
_VALUE = rf"(?:<[A-Za-z]{{1,30}}: )?(?:\[[^\]\n]*\]?|\([^)\n]*\)?|{_QUOTED}|[^\s,;&)}}\]'\"<>]+)"
_WHOLE = "|".join(re.escape(name) for name in sorted(_NAMES))
_NAMED = rf"(?<![\w.$-])(?:[\w.$-]{{0,40}}?(?:{_TELLING})[\w.$-]{{0,40}}|(?:{_WHOLE}))"

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Whole headers: their values have spaces and semicolons.
    (
        re.compile(
            r"\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]\s{0,3}[:=,]\s{0,3}b?['\"]|\s{0,3}[:=]\s{0,3}b?['\"]?)[^'\"\n]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (
        re.compile(r"\b(Bearer|Basic|Token)\s{1,3}(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}", re.IGNORECASE),
        rf"\1 {HIDDEN}",
    ),
    # Tokens of the API; what Fernet has encrypted; hashes of passwords; a Telegram bot's token.
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*"), HIDDEN),
    (re.compile(r"(?<![\w-])gAAAAA[\w-]{20,}={0,2}"), HIDDEN),
    (re.compile(r"\b(argon2|pbkdf2_sha\d{1,3}|bcrypt\w{0,10}|md5|scrypt)\$[\w$+/=.,!-]+"), rf"\1${HIDDEN}"),
    (re.compile(r"(?<!\w)(?:bot)?\d{6,12}:[\w-]{30,}"), HIDDEN),
    # A password within an address: postgresql://name:password@host
    (re.compile(r"(\b[\w+.-]{2,20}://[^\s:/@'\"]{0,200}):[^\s/@'\"]{1,200}@"), rf"\1:{HIDDEN}@"),
    # A factor's code in a sentence.
    (
        re.compile(
            r"\b(code|codes|kod|kodi|код|otp|pin)\b(\s{0,3}(?:is|:|=|—|-)?\s{0,3})\d{4,8}(?:[ -]?\d{4})?\b",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
)
_PAIR = re.compile(
    rf"(b?['\"]?)({_NAMED})(['\"]?\s{{0,5}}(?:[:=]|,(?=\s{{0,3}}b?['\"]))\s{{0,5}})({_VALUE})", re.IGNORECASE
)
_CARD = re.compile(r"(?<![\w.-])[2-689](?:[ -]?\d){12,18}(?![\w-])")
_DEEPEST = 12


def text(words: str) -> str:
    """The text without what is secret in it."""
    return _PAIR.sub(_without_value, forms(words))


def forms(words: str) -> str:
    """Without what is known by its form alone: for markup, where a name and its value may be anything."""
    for found, instead in _patterns():
        words = found.sub(instead, words)
    return _CARD.sub(_without_number, words)


def data(thing: Any, _depth: int = 0) -> Any:
    """Anything made of dictionaries, lists and texts, without what is secret in it; other things stay as they are."""
    if _depth > _DEEPEST:
        return HIDDEN
    if isinstance(thing, str):
        return text(str(thing))  # (some only say they are a text)
    if isinstance(thing, bytes):
        return text(thing.decode(errors="replace"))
    if isinstance(thing, Mapping):
        return {key: value(key, one, _depth + 1) for key, one in thing.items()}
    if isinstance(thing, (list, tuple, set, frozenset)):
        parts = [data(one, _depth + 1) for one in thing]
        # A pair (name, value), as headers come.
        if isinstance(thing, tuple) and len(parts) == 2 and is_secret(_plain(thing[0])):
            parts[1] = HIDDEN
        return tuple(parts) if isinstance(thing, tuple) else parts
    return thing


def value(name: Any, thing: Any, _depth: int = 0) -> Any:
    """What may be told of something that has this name."""
    if thing in (None, "", True, False) or not is_secret(_plain(name)):
        return data(thing, _depth)
    return HIDDEN


def is_secret(name: str) -> bool:
    """Whether what has this name is secret."""
    if name.lower() in _NAMES:
        return True
    return bool(_NAME.search(name)) and not _HARMLESS.search(name)


def _plain(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _without_value(found: re.Match[str]) -> str:
    quote, name, between, told = found.groups()
    if not is_secret(name) or told.strip("'\"") in {"", "None", "True", "False", HIDDEN}:
        return found[0]
    mark = re.match(r"b?['\"]", told)
    instead = f"{mark[0]}{HIDDEN}{mark[0][-1]}" if mark else HIDDEN
    return f"{quote}{name}{between}{instead}"


def _without_number(found: re.Match[str]) -> str:
    """Of a card's number the last four may be told; a number that is no card's stays."""
    digits = [int(sign) for sign in found[0] if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    is_card = (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return HIDDEN + found[0][-4:] if is_card else found[0]


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    slash = "(?:/|%2F)+"
    before = settings.SECRETS_IN_ADDRESSES.replace("/", slash)
    link = re.compile(rf"((?:{before}){slash})[^/?#\s\"'<>%&]+", re.IGNORECASE)
    own = sorted(set(_own_secrets()), key=len, reverse=True)
    ours = [(re.compile("|".join(map(re.escape, own))), HIDDEN)] if own else []
    return (*ours, (link, rf"\1{HIDDEN}"), *_FORMS)


def _own_secrets() -> Iterator[str]:
    """The values of our settings that must not be told."""
    for name in dir(settings):
        if name.isupper():
            yield from _found(name, getattr(settings, name))


def _found(name: str, thing: Any) -> Iterator[str]:
    if isinstance(thing, Mapping):
        for key, one in thing.items():
            yield from _found(str(key), one)
    elif isinstance(thing, (list, tuple)):
        for one in thing:
            yield from _found(name, one)
    elif isinstance(thing, str):
        if "://" in thing and (password := _password_of(thing)):
            yield password
        if len(thing) >= 8 and _OWN.search(name):
            yield thing


# Settings that hold secrets, and not the names of cookies or classes.
_OWN = re.compile(r"(?:SECRET|PASSWORD|TOKEN|DSN|SALT|KEYS?|_FALLBACKS)$", re.IGNORECASE)


def _password_of(address: str) -> str:
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""


def _forget(**_signal: Any) -> None:
    _patterns.cache_clear()


setting_changed.connect(_forget, dispatch_uid="scrub")
