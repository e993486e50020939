"""HTTP Basic as providers use it. What is stored of it is a digest, so that a copy of the database opens no door."""

import base64
import binascii
import hashlib
import hmac

from django.conf import settings

HEADER = "Authorization"


def digest(login: str, password: str) -> str:
    """What stands in a stored call's headers for a pair of credentials."""
    return _digest(f"{login}:{password}".encode())


def digest_of(header: str) -> str:
    """The same, of an Authorization header; empty when it is none (RFC 7617: the pair splits at the first colon)."""
    scheme, _space, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        pair = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _digest(pair) if b":" in pair else ""


def is_right(kept: str, *, login: str, password: str) -> bool:
    """Whether a stored digest is of these credentials; never when ours are not set."""
    return bool(login and password) and hmac.compare_digest(kept.encode(), digest(login, password).encode())


def _digest(pair: bytes) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"basic:" + pair, hashlib.sha256).hexdigest()
