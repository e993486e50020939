"""What Google says about itself and about people, and when we believe it.

An ID token counts only signed with RS256 by one of the keys that the issuer publishes, by that issuer, for a client of ours,
not run out, and with the nonce of the sign-in it belongs to. Keys and addresses are asked for once an hour; a key that is not
among them is looked for anew at most once a minute, so that made-up tokens make nobody busy.
"""

import hashlib
import json
import time
from collections.abc import Collection
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

import jwt
from django.conf import settings
from django.core.cache import cache

from marketplace.accounts.errors import ProviderNotBelieved, ProviderSilent
from marketplace.core import http

_KEEP = 3600  # seconds
_LOOK_ANEW = 60
_LEEWAY = 30  # our clock and Google's
_LONGEST = 8192  # signs of a token
_NEEDED = ["iss", "aud", "sub", "exp", "iat"]
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def is_on() -> bool:
    """Whether Google is offered at all."""
    return bool(settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET)


def address_of(endpoint: str) -> str:
    """The address of one of `ENDPOINTS`. Raises ProviderSilent."""
    return str(_published()[endpoint])


def claims_of(id_token: str, *, audiences: Collection[str], nonce: str | None = None) -> dict[str, Any]:
    """What the token says of a person: at least `sub`, and `email`, `email_verified`, `name` where Google has them.

    `nonce`: what the token must carry; None where the client has asked for none. Raises ProviderNotBelieved, ProviderSilent.
    Source: OpenID Connect Core 1.0, 3.1.3.7.
    """
    if len(id_token) > _LONGEST:
        raise ProviderNotBelieved("longer than any token")
    try:
        header = jwt.get_unverified_header(id_token)
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=_key(str(header.get("kid", ""))),
            algorithms=["RS256"],  # never what the token names
            audience=list(audiences),
            # Google writes its name with and without the scheme.
            issuer=[settings.GOOGLE_ISSUER, settings.GOOGLE_ISSUER.removeprefix("https://")],
            leeway=_LEEWAY,
            options={"require": _NEEDED},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise ProviderNotBelieved(f"{type(error).__name__}: {error}") from error
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 191:
        raise ProviderNotBelieved("nobody's token")
    # Of several audiences the one it was made for must be ours too.
    if isinstance(claims["aud"], list) and claims.get("azp") not in audiences:
        raise ProviderNotBelieved("made for another client")
    if nonce is not None and not compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ProviderNotBelieved("of another sign-in")
    return claims


def spend(id_token: str, claims: dict[str, Any]) -> None:
    """Whoever finds a token that was used gets nothing for it. Raises ProviderNotBelieved."""
    seconds = max(1, int(claims["exp"] - time.time()) + _LEEWAY + 1)
    # What is signed, as it was signed: the signature itself can be spelt in several ways.
    digest = hashlib.sha256(id_token.rpartition(".")[0].encode()).hexdigest()
    if not cache.add(f"google:used:{digest}", 1, seconds):
        raise ProviderNotBelieved("used before")


def _published() -> dict[str, Any]:
    """The issuer's own description (OpenID Connect Discovery 1.0)."""
    issuer = settings.GOOGLE_ISSUER
    found: dict[str, Any] | None = cache.get(f"google:about:{issuer}")
    if found is None:
        found = _fetched(f"{issuer}/.well-known/openid-configuration")
        is_whole = found.get("issuer") == issuer and all(isinstance(found.get(one), str) for one in ENDPOINTS)
        if not is_whole or not all(_is_safe(str(found[one])) for one in ENDPOINTS):
            raise ProviderSilent("the issuer's description is not this issuer's")
        found = {one: found[one] for one in ENDPOINTS}
        cache.set(f"google:about:{issuer}", found, _KEEP)
    return found


def _is_safe(address: str) -> bool:
    """HTTPS; on this machine, for tests and demos, as the issuer itself. Browsers are sent where our policy lets them go."""
    url, issuer = urlsplit(address), urlsplit(settings.GOOGLE_ISSUER)
    return url.scheme == issuer.scheme if issuer.hostname == "127.0.0.1" else url.scheme == "https"


def _key(key_id: str) -> Any:
    """The public key of that name. Raises ProviderNotBelieved."""
    issuer = settings.GOOGLE_ISSUER
    keys: dict[str, Any] | None = cache.get(f"google:keys:{issuer}")
    if keys is None or (key_id not in keys and cache.add(f"google:look:{issuer}", 1, _LOOK_ANEW)):
        keys = {str(one.get("kid", "")): one for one in _key_set() if one.get("kty") == "RSA"}
        cache.set(f"google:keys:{issuer}", keys, _KEEP)
    if key_id not in keys:
        raise ProviderNotBelieved("signed with an unknown key")
    return jwt.PyJWK(keys[key_id], algorithm="RS256").key


def _key_set() -> list[dict[str, Any]]:
    found = _fetched(address_of("jwks_uri")).get("keys")
    if not isinstance(found, list):
        raise ProviderSilent("no keys")
    return [one for one in found if isinstance(one, dict)]


def _fetched(url: str) -> dict[str, Any]:
    try:
        reply = http.send("GET", url, headers={"Accept": "application/json"})
        found = json.loads(reply.body) if reply.status == 200 else None
    except (http.NoAnswer, ValueError) as error:
        raise ProviderSilent(str(error)) from error
    if not isinstance(found, dict):
        raise ProviderSilent(f"{urlsplit(url).netloc} answers {reply.status}")
    return found
