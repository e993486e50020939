"""What a card shows of an offer and its seller, as plain rows: two dozen a page, and no model instances for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, Self

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from marketplace.accounts.models import User
from marketplace.listings.models import Listing


class Picture(NamedTuple):
    url: str


class TileSeller(NamedTuple):
    """The seller as a card and `{% avatar %}` show them."""

    pk: uuid.UUID
    full_name: str
    username: str | None
    handle: str
    picture: str
    plan: str
    is_verified: bool
    rating: Decimal | None

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            user.pk, user.full_name, user.username, user.handle, user.avatar.name or "", user.plan, user.is_verified,
            user.rating,
        )  # fmt: skip

    @property
    def display_name(self) -> str:
        return self.full_name or self.username or self.handle

    @property
    def avatar(self) -> Picture | None:
        return Picture(default_storage.url(self.picture)) if self.picture else None


class Tile(NamedTuple):
    """One offer. Prices in minor units; `attributes` by the game's schema."""

    pk: uuid.UUID
    game_id: uuid.UUID
    title: str
    price: int
    original_price: int | None
    currency: str
    status: str
    is_premium: bool
    cover: str
    attributes: dict[str, Any]
    seller: TileSeller


_OWN = (
    "pk", "game_id", "title", "price", "original_price", "currency", "status", "is_premium", "cover", "attributes",
)  # fmt: skip
_SELLER = (
    "seller_id", "seller__full_name", "seller__username", "seller__handle", "seller__avatar", "seller__plan",
    "seller__is_verified", "seller__rating",
)  # fmt: skip


def tiles(rows: QuerySet[Listing]) -> list[Tile]:
    """The rows of a query, each with its seller. One query."""
    return _made(rows.values_list(*_OWN, *_SELLER))


def in_order(keys: Iterable[uuid.UUID]) -> list[Tile]:
    """The offers of these keys, in the order of the keys. One query; none for no keys."""
    wanted = list(keys)
    found = {tile.pk: tile for tile in _made(_columns().filter(pk__in=wanted))} if wanted else {}
    return [found[key] for key in wanted if key in found]


@cache
def _columns() -> QuerySet[Listing, tuple[Any, ...]]:
    """Only ever narrowed down, never run itself: looking up eighteen names costs a third of such a query."""
    return Listing.objects.values_list(*_OWN, *_SELLER)


def _made(rows: Iterable[tuple[Any, ...]]) -> list[Tile]:
    cut = len(_OWN)
    return [Tile._make((*row[:cut], TileSeller._make(row[cut:]))) for row in rows]
