"""One-use tickets: how a program that has an access token opens a socket without writing the token into an address.

A ticket is good for one socket within 30 seconds. It lies in the shared cache under a digest, so who reads the cache opens
nothing, and taking it is one atomic deletion: of two sockets that show the same one at the same moment, one gets in.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import cast

from django.core.cache import cache

SECONDS = 30
_LENGTH = 32  # bytes of chance


@dataclass(frozen=True, slots=True)
class Grant:
    """What a ticket stands for.

    `until` (Unix time, seconds) is when the access token ends; `password_mark` is its mark of the password it was given for;
    `sign_in` names the sign-in it belongs to, through all its renewals.
    """

    user_id: str
    until: float
    password_mark: str
    sign_in: str
    language: str


def issue(grant: Grant) -> str:
    """A new ticket for what the grant says."""
    ticket = secrets.token_urlsafe(_LENGTH)
    cache.set(_key(ticket), grant, SECONDS)
    return ticket


def take(ticket: str) -> Grant | None:
    """What the ticket is for, once; None when it is unknown, too old or taken."""
    key = _key(ticket)
    grant = cast("Grant | None", cache.get(key))
    # Whoever deletes it has it: deleting tells who came first, reading does not.
    return grant if grant is not None and cache.delete(key) else None


def _key(ticket: str) -> str:
    return f"live:ticket:{hashlib.sha256(ticket.encode(errors='replace')).hexdigest()}"
