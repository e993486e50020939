"""Writes about games."""

from django.db import transaction
from django.utils.text import slugify

from marketplace.core.cache import bump
from marketplace.games.models import Game


@transaction.atomic
def save(*, game: Game) -> Game:
    """Save a validated game; an empty slug is made from the name. Pages that show games are stale after the commit."""
    if not game.slug:
        stem = slugify(game.name)[:70] or "game"
        taken = set(
            Game.objects.filter(slug__startswith=stem).exclude(pk=game.pk).values_list("slug", flat=True)
        )
        numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
        game.slug = next(slug for slug in (stem, *numbered) if slug not in taken)
    game.save()
    bump("games", "catalogue")
    return game
