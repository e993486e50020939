"""What the house keeps of a person, and who answers for it: a share of each app, which registers here in `AppConfig.ready()`.

A share says what of its tables goes into a person's export, what stands against deleting their account, and how it forgets them
when the account is deleted. Accounts know none of the apps above.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import Storage
from django.utils.functional import Promise

from marketplace.accounts.models import User

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the export: under which name it is given, and where it lies. `name` has no folder."""

    name: str
    storage: Storage
    path: str


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the export, `<name>.json`, and a folder of the same name where there are files.

    `about` explains it to the person. `tables` are the models it is made of ("app.Model"): a test holds them against all
    that refer to a person. Rows and files are read one by one, so make them generators.
    """

    name: str
    about: str | Promise
    tables: tuple[str, ...]
    rows: Callable[[User], Iterable[Row]]
    files: Callable[[User], Iterable[File]] | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an account cannot be deleted now, in words for the person, and the page where they see to it."""

    text: str | Promise
    url: str = ""


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody whose account is being deleted, as they were before. `files` gathers what is deleted after the commit."""

    user: User
    name: str
    email: str
    files: list[tuple[str, str]] = field(default_factory=list)

    @property
    def user_id(self) -> uuid.UUID:
        return self.user.pk

    def discard(self, names: Iterable[str | None], *, storage: str = "default") -> None:
        """Have files deleted, by their names in a storage of `settings.STORAGES`."""
        self.files.extend((storage, name) for name in names if name)


@dataclass(frozen=True, slots=True)
class Share:
    """What one app has of people. `forget` runs in the transaction that deletes the account, and is safe to run twice."""

    app: str
    parts: tuple[Part, ...] = ()
    obstacles: Callable[[User], Iterable[Obstacle]] | None = None
    forget: Callable[[Leaver], None] | None = None


_shares: dict[str, Share] = {}


def register(share: Share) -> None:
    """Once an app; saying it twice changes nothing."""
    _shares[share.app] = share


def parts() -> list[Part]:
    return [part for share in _shares.values() for part in share.parts]


def obstacles(user: User) -> list[Obstacle]:
    """All that stands against deleting this account now."""
    return [one for share in _shares.values() if share.obstacles for one in share.obstacles(user)]


def forget(leaver: Leaver) -> None:
    """Have every app forget this person. What books must keep stays, with nobody's name."""
    # From the roof down: an app may still look at what lies below it.
    for share in reversed(_shares.values()):
        if share.forget:
            share.forget(leaver)
