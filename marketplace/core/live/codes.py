"""Why a socket was closed, in numbers that clients can act on (docs/live.md)."""

from enum import IntEnum

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404


class Close(IntEnum):
    """4000 and up are ours; the others have the meaning of RFC 6455 and its registry."""

    NORMAL = 1000
    TRY_LATER = 1013  # this process has as many connections as it takes
    NOT_AUTHENTICATED = 4401  # no sign-in, a spent ticket, or the sign-in has ended meanwhile
    NOT_ALLOWED = 4403
    NOT_FOUND = 4404  # no such thing, or somebody else's
    TOO_SLOW = 4408  # the reader did not read
    TOO_MANY = 4429  # this person has enough connections open


def close_code(error: Exception) -> Close | None:
    """The code for a refusal that a consumer's `enter` raises; None for a bug."""
    if isinstance(error, (Http404, ObjectDoesNotExist)):
        return Close.NOT_FOUND
    if isinstance(error, PermissionDenied):
        return Close.NOT_ALLOWED
    return None
