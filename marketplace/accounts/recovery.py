"""Recovery codes that nobody can read again, us included: made once, shown once, kept as Argon2 hashes.

allauth keeps a seed from which they can be made anew, encrypted with a key that lies on the same machine as the pages. By ASVS
5.0, 6.5.2, a code below 112 bits of entropy is hashed like a password. Twelve digits (40 bits) are typed on any keyboard.

All codes of a set share one salt, so a try costs one hash and not one for each code that is left, which a small machine feels
and a flood of tries would use. What is lost by it: whoever steals the table tries ten codes of one person by one hash, 3.3
bits of 40; each person's salt is still their own (docs/decisions/0014-recovery-codes.md).

`Authenticator.data`: {"salt": hex, "cost": [rounds, KiB, lanes], "hashes": [hex, …]}, one hash for each code that is not used.
"""

import re
import secrets
from typing import Any, Self, cast

from allauth.core import context as allauth_context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal import auth, flows
from argon2.low_level import Type as Argon2
from argon2.low_level import hash_secret_raw
from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from marketplace.accounts.models import User

COUNT = 10
DIGITS = 12
_BYTES = 32  # of a hash
# Those that allauth has made had eight: people still hold them (migration 0010).
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}|[0-9]{{8}}")
_BLANKS = re.compile(r"[\s-]+")
# Under this name the request that made codes holds them until it is answered.
_FRESH = "fresh_recovery_codes"


class RecoveryCodes:
    """What stands behind a row of the type; the part of allauth's class of this name that allauth itself calls."""

    def __init__(self, instance: Authenticator) -> None:
        self.instance = instance

    @classmethod
    def activate(cls, user: User) -> Self:
        """The person's codes; where they have none they are made, for the answer to this request to show."""
        kind = Authenticator.Type.RECOVERY_CODES
        found = Authenticator.objects.filter(user_id=user.pk, type=kind).first()
        if found is None:
            codes = made()
            found = Authenticator.objects.create(user=user, type=kind, data=hashed(codes))
            if allauth_context.request is not None:
                setattr(allauth_context.request, _FRESH, codes)
        return cls(found)

    @property
    def left(self) -> int:
        return len(self._hashes)

    def get_unused_codes(self) -> list[str]:
        """As many as there are, but what they are nobody can say."""
        return ["*" * DIGITS] * self.left

    def validate_code(self, code: str) -> bool:
        """Whether it is one of them; then it is used up. Of several tries with the same code at one moment one succeeds."""
        digits = _BLANKS.sub("", code)
        # Codes of an app come here too: what has not the form of ours costs no hash.
        if not _CODE.fullmatch(digits) or not self._hashes:
            return False
        tried = _hash(digits, **self._how)  # before the lock, which nobody shall wait for so long
        with transaction.atomic():
            now = Authenticator.objects.select_for_update().filter(pk=self.instance.pk).first()
            if now is None:  # taken away, or replaced by new ones
                return False
            self.instance = now
            rest = [one for one in self._hashes if not constant_time_compare(one, tried)]
            if len(rest) == self.left:
                return False
            self.instance.data["hashes"] = rest
            self.instance.save(update_fields=["data"])
        return True

    @property
    def _hashes(self) -> list[str]:
        return list(self.instance.data.get("hashes", ()))

    @property
    def _how(self) -> dict[str, Any]:
        return {"salt": bytes.fromhex(self.instance.data["salt"]), "cost": self.instance.data["cost"]}


def take_the_place_of_allauths() -> None:
    """allauth offers no setting for this class, and makes and wraps rows by these two names. Called once, at the start.

    `test_recovery_codes.py` goes through allauth's own pages: a version with other names fails there.
    """
    for module in (auth, flows):
        module.RecoveryCodes = RecoveryCodes


def fresh() -> list[str]:
    """The codes that the request which is being answered has made; empty in all others."""
    return cast("list[str]", getattr(allauth_context.request, _FRESH, []))


def made() -> list[str]:
    """A set of new codes."""
    return [f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" for _number in range(COUNT)]


def hashed(codes: list[str]) -> dict[str, Any]:
    """What is kept of them."""
    salt, cost = secrets.token_bytes(16), list(settings.RECOVERY_CODES_COST)
    return {
        "salt": salt.hex(),
        "cost": cost,
        "hashes": [_hash(code, salt=salt, cost=cost) for code in codes],
    }


def spaced(code: str) -> str:
    """As it is read and written down: in groups of four."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def _hash(code: str, *, salt: bytes, cost: list[int]) -> str:
    rounds, memory, lanes = cost
    return hash_secret_raw(
        code.encode(),
        salt,
        time_cost=rounds,
        memory_cost=memory,
        parallelism=lanes,
        hash_len=_BYTES,
        type=Argon2.ID,
    ).hex()
