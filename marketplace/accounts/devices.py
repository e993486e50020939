"""With what people sign in: a browser that is new to a person is told to them."""

import hashlib
import ipaddress
import re
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from marketplace.accounts.facts import SignedInAnew
from marketplace.accounts.models import KnownDevice, SignIn, User
from marketplace.core.announce import announce
from marketplace.core.api.errors import is_api
from marketplace.core.countries import country_of
from marketplace.core.visitors import address_of

COOKIE_AGE = timedelta(days=400)  # browsers keep none longer
TRUSTED_FOR = timedelta(days=180)  # after it was last signed in with
MOST = 30
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_TOKEN_OF_PROGRAM = "program_token"  # noqa: S105  # nosec B105 (an attribute's name)
# The first that is found counts: others name their forebears as well.
_BROWSERS = (
    ("Telegram", "Telegram"), ("YaBrowser", "Yandex Browser"), ("SamsungBrowser", "Samsung Internet"), ("OPR/", "Opera"),
    ("Opera", "Opera"), ("EdgiOS", "Edge"), ("EdgA", "Edge"), ("Edg/", "Edge"), ("FxiOS", "Firefox"), ("Firefox", "Firefox"),
    ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def note_sign_in(*, user: User, request: HttpRequest | None = None, **_signal: Any) -> None:
    """Remember the browser of somebody who has just signed in, and announce it if it is new to them.

    The first one of all is not told: it is the one they signed up with. Receives Django's `user_logged_in`.
    """
    if request is None or not request.META:  # signed in by no request at all: a test, a command
        return
    if is_api(request):  # programs keep no cookies: some show the token that they were given
        token = getattr(request, _TOKEN_OF_PROGRAM, "")
        _remember(user=user, request=request, given=token, cookie=token)
        return
    given = token_of(request)
    # `CookieMiddleware` hands it to the browser; one cookie serves all who share the browser.
    token = given or secrets.token_urlsafe(32)
    _remember(user=user, request=request, given=given, cookie=token)
    request.device_token = token  # type: ignore[attr-defined]


# --- Trust ------------------------------------------------------------------------------------------


def token_of(request: HttpRequest) -> str:
    """What a browser is known by; "" where it has shown nothing that could be ours."""
    return well_formed(request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""))


def well_formed(token: str) -> str:
    """The token, "" for what can be none."""
    return token if _TOKEN.fullmatch(token) else ""


def is_trusted(user: User, token: str) -> bool:
    """Whether this person has signed in with that browser or program not long ago."""
    since = timezone.now() - TRUSTED_FOR
    known = KnownDevice.objects.filter(user=user, trusted_at__isnull=False, seen_at__gt=since)
    return bool(token) and known.filter(cookie_hash=_hash(token)).exists()


def trust(*, user: User, request: HttpRequest) -> None:
    """The browser that asks stays trusted, whatever has just been taken from all."""
    if token := token_of(request):
        known = KnownDevice.objects.filter(user=user, cookie_hash=_hash(token))
        known.update(trusted_at=timezone.now())


def give_program(request: HttpRequest) -> str:
    """A token for the program that is about to sign in, which shows it the next time."""
    return take_of_program(request, secrets.token_urlsafe(32))


def take_of_program(request: HttpRequest, token: str) -> str:
    """Know the program that is about to sign in by this token."""
    setattr(request, _TOKEN_OF_PROGRAM, token)
    return token


def distrust_all(*, user: User) -> None:
    """Have all this person's browsers and programs show a code again. The rows stay: links of letters name them."""
    KnownDevice.objects.filter(user=user, trusted_at__isnull=False).update(trusted_at=None)


# --- Recognising ------------------------------------------------------------------------------------


@transaction.atomic
def _remember(*, user: User, request: HttpRequest, given: str, cookie: str) -> None:
    """`given` is the token that the browser showed, `cookie` the one it has from now on."""
    now, trait = timezone.now(), _trait(user, request)
    known = KnownDevice.objects.filter(user=user)
    same = Q(trait_hash=trait) | Q(cookie_hash=_hash(given)) if given else Q(trait_hash=trait)
    is_first, is_known = not known.exists(), known.filter(same).exists()
    is_new = not is_first and not is_known
    name, address = name_of(request.headers.get("User-Agent", "")), address_of(request)
    country = country_of(address)
    is_country_new = is_new and _is_new_to(user, country)
    mark: dict[str, Any] = (
        {"cookie_hash": _hash(cookie)} if cookie else {"cookie_hash": "", "trait_hash": trait}
    )
    # Whoever came as far as here has shown all that was asked for.
    trusted = {"trusted_at": now} if cookie else {}
    row, _made = KnownDevice.objects.update_or_create(
        user=user,
        **mark,
        defaults={"trait_hash": trait, "name": name, "country": country, "seen_at": now, **trusted},
    )
    stale = list(known.order_by("-seen_at").values_list("pk", flat=True)[MOST:])
    KnownDevice.objects.filter(pk__in=stale).delete()
    if is_new:
        fact = SignedInAnew(
            user_id=user.pk,
            device_id=row.pk,
            device=name,
            address=address,
            is_country_new=is_country_new,
            at=now,
        )
        announce(fact)


def _is_new_to(user: User, country: str) -> bool:
    """Whether this person was seen elsewhere, and never there: by their devices and their sign-ins, as long as these are kept.

    The row of the sign-in that is under way must not be there yet.
    """
    seen = set(KnownDevice.objects.filter(user=user).values_list("country", flat=True))
    seen |= {country_of(one) for one in SignIn.objects.filter(user=user).values_list("address", flat=True)}
    seen -= {""}
    return bool(country and seen) and country not in seen


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _trait(user: User, request: HttpRequest) -> str:
    """What the browser calls itself, without numbers (it updates itself every month), and its network."""
    words = re.sub(r"[\d._]+", "", request.headers.get("User-Agent", "")[:400])
    text = f"{user.pk}|{words}|{_network(address_of(request))}"
    return salted_hmac("accounts.devices", text, algorithm="sha256").hexdigest()


def _network(address: str) -> str:
    """The neighbourhood of an address: providers give out another one every day."""
    if not address:
        return ""
    prefix = 16 if ipaddress.ip_address(address).version == 4 else 32
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def name_of(agent: str) -> str:
    """ "Chrome, Android" of what a browser calls itself; empty for a program that is none we know."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return ", ".join(part for part in (browser, system) if part)


def program_name(agent: str) -> str:
    """ "Chrome, Android", or what a program calls itself before its version: "okhttp"."""
    first = re.match(r"[A-Za-z][\w .-]{0,39}", agent)
    return name_of(agent) or (first.group(0).strip() if first else "")


class CookieMiddleware:
    """Gives a browser that has just signed in the token by which it is known again."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        token = getattr(request, "device_token", "")
        if token:
            response.set_cookie(
                settings.DEVICE_COOKIE_NAME,
                token,
                max_age=COOKIE_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
