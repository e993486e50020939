"""Encryption at rest: Fernet (AES-128-CBC + HMAC-SHA256), the newest key first."""

from collections.abc import Callable
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

__all__ = ["InvalidToken", "decrypt", "elsewhere", "encrypt", "register", "rotate"]

_elsewhere: dict[str, Callable[[], int]] = {}


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current() -> MultiFernet:
    return _cipher(tuple(settings.FERNET_KEYS))


def encrypt(text: str) -> str:
    """Ciphertext of a text under the newest key."""
    return _current().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text of a ciphertext made with any of the keys. Raises InvalidToken for anything else."""
    return _current().decrypt(token.encode()).decode()


def rotate(token: str) -> str:
    """The same text, encrypted anew under the newest key."""
    return _current().rotate(token.encode()).decode()


def register(name: str, rotate_all: Callable[[], int]) -> None:
    """What is kept encrypted in another column than an `EncryptedTextField`: how `manage.py reencrypt` rotates it.

    `rotate_all()` returns the number of rows, and raises InvalidToken where no key fits.
    """
    _elsewhere[name] = rotate_all


def elsewhere() -> dict[str, Callable[[], int]]:
    return dict(_elsewhere)
