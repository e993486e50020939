"""The sandbox's protocol: what its gateway and our adapter both speak, as two companies would.

Every message is signed, HMAC-SHA256 with the shared secret over "<unix time>.<raw bytes>", and good for five minutes.
Amounts are whole minor units.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from django.conf import settings

CODE = "sandbox"
TIMESTAMP_HEADER = "X-Sandbox-Timestamp"
SIGNATURE_HEADER = "X-Sandbox-Signature"
TOLERANCE = 300  # seconds


def signature(message: bytes, *, timestamp: int, secret: str | None = None) -> str:
    key = (settings.SANDBOX_SECRET if secret is None else secret).encode()
    return hmac.new(key, b"%d." % timestamp + message, hashlib.sha256).hexdigest()


def signed_headers(message: bytes, *, at: datetime) -> dict[str, str]:
    timestamp = int(at.timestamp())
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signature(message, timestamp=timestamp)}


def is_signed(headers: Mapping[str, str], message: bytes, *, at: datetime) -> bool:
    """Whether the message carries a right signature of about this moment."""
    timestamp, given = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        return False
    fresh = abs(at.timestamp() - int(timestamp)) <= TOLERANCE
    right = hmac.compare_digest(signature(message, timestamp=int(timestamp)).encode(), given.encode())
    return fresh and right


def signed_query(fields: Mapping[str, str]) -> str:
    """The fields of a payment page's address, so that a payer cannot change the amount."""
    query = urlencode(sorted(fields.items()))
    return f"{query}&sign={signature(query.encode(), timestamp=0)}"


def read_query(query: str) -> dict[str, str] | None:
    """The fields, or None when the signature is not right."""
    fields = dict(parse_qsl(query, keep_blank_values=True))
    given = fields.pop("sign", "")
    right = signature(urlencode(sorted(fields.items())).encode(), timestamp=0)
    return fields if hmac.compare_digest(right.encode(), given.encode()) else None
