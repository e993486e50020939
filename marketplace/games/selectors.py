"""Reads about games."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.core.cache import generation
from marketplace.games import counts
from marketplace.games.models import Category, Game

TAG = "games"

# Games change a few times a year and every page needs some: each process keeps them until the tag is bumped.
_kept: dict[str, tuple[Game, ...]] = {}


def directory() -> tuple[Game, ...]:
    """Every active game with its category, in display order. Shared objects: read them, never change them."""
    stamp = generation(TAG)
    if stamp not in _kept:
        games = tuple(Game.objects.filter(is_active=True).select_related("category"))
        _kept.clear()
        _kept[stamp] = games
    return _kept[stamp]


def by_slug(slug: str) -> Game | None:
    """The active game with that slug."""
    return next((game for game in directory() if game.slug == slug), None)


def by_id(game_id: uuid.UUID) -> Game | None:
    """The active game with that key."""
    return next((game for game in directory() if game.pk == game_id), None)


def by_ids(wanted: Iterable[uuid.UUID]) -> dict[uuid.UUID, Game]:
    """These games by key. One query where some are switched off (they are still on old offers), else none."""
    known = {game.pk: game for game in directory()}
    missing = set(wanted).difference(known)
    return known | Game.objects.in_bulk(missing) if missing else known


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with its games and how many offers each has."""

    category: Category
    games: tuple[tuple[Game, int], ...]


def shelves() -> list[Shelf]:
    """All active games by category, in display order, with the number of offers on sale."""
    offers = counts.offers()
    found: dict[uuid.UUID, tuple[Category, list[tuple[Game, int]]]] = {}
    for game in directory():
        _category, games = found.setdefault(game.category_id, (game.category, []))
        games.append((game, offers.get(game.pk, 0)))
    shelves = [Shelf(category, tuple(games)) for category, games in found.values()]
    return sorted(shelves, key=lambda shelf: (shelf.category.sort_order, shelf.category.slug))


def popular(*, most: int = 8) -> list[tuple[Game, int]]:
    """The games with the most offers on sale, each with their number."""
    offers = counts.offers()
    pairs = [(game, offers.get(game.pk, 0)) for game in directory()]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0].sort_order, pair[0].name))[:most]
