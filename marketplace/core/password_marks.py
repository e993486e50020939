"""What a token says of the password it was given for: enough to tell that there is another one since.

The token library's own mark is a bare MD5 of the stored hash: whoever holds a token could compare guesses of the hash with it.
"""

from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

# Of tokens.
CLAIM = "password_mark"


def mark_of(user: Any) -> str:
    """HMAC-SHA256 of the stored hash, under the key of tokens: a new key ends all tokens anyway. 64 signs."""
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    return salted_hmac("core.password_marks", user.password, secret=key, algorithm="sha256").hexdigest()


def is_of(user: Any, mark: object) -> bool:
    """Whether the person's password is still the one of this mark."""
    return isinstance(mark, str) and constant_time_compare(mark, mark_of(user))
