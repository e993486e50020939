"""Games, and the categories they are shown under."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from marketplace.core import covers
from marketplace.core.models import TimestampedModel, UUIDModel
from marketplace.games import schema

if TYPE_CHECKING:
    from marketplace.games.schema import Schema

validate_colour = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Enter a colour as #rrggbb."))


def validate_attributes(value: Any) -> None:
    """Refuse a schema that the sell form and the filters could not be built from."""
    try:
        schema.parse(value)
    except schema.BadSchema as error:
        raise ValidationError(str(error)) from error


class Category(UUIDModel):
    """A genre. Names are data, so each language has a column; `label` is the one for the reader."""

    name = models.CharField(_("name (Uzbek)"), max_length=60, unique=True)
    name_ru = models.CharField(_("name (Russian)"), max_length=60)
    name_en = models.CharField(_("name (English)"), max_length=60)
    slug = models.SlugField(unique=True)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    icon = models.CharField(_("icon"), max_length=40, blank=True, help_text=_("A name in static/icons.svg."))
    sort_order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["sort_order", "slug"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return {"ru": self.name_ru, "en": self.name_en}.get(schema.language(get_language()), self.name)


class Game(UUIDModel, TimestampedModel):
    """A game (or a platform) whose accounts are sold, and which facts about such an account count."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True, blank=True)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="games", verbose_name=_("category")
    )
    description = models.TextField(_("description"), blank=True)
    icon = models.CharField(_("icon"), max_length=16, blank=True, help_text=_("An emoji."))
    glyph = models.CharField(
        _("glyph"),
        max_length=40,
        blank=True,
        help_text=_("A name in static/icons.svg, drawn on generated covers."),
    )
    image = models.ImageField(_("image"), upload_to="games/", blank=True)
    color = models.CharField(_("colour"), max_length=7, validators=[validate_colour], default="#3b5bdb")
    cover_hue = models.PositiveSmallIntegerField(
        _("second hue"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(359)],
        help_text=_("In degrees, for covers."),
    )
    attributes = models.JSONField(_("attributes"), default=list, blank=True, validators=[validate_attributes])
    is_active = models.BooleanField(_("active"), default=True)
    sort_order = models.PositiveSmallIntegerField(_("sort order"), default=0)

    class Meta:
        verbose_name = _("game")
        verbose_name_plural = _("games")
        ordering = ["sort_order", "name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cover_hue__isnull=True) | models.Q(cover_hue__lt=360),
                name="game_cover_hue_in_circle",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def schema(self) -> Schema:
        """What an offer for this game tells about the account."""
        return schema.parse(self.attributes)

    @property
    def hues(self) -> tuple[int, int]:
        """The two hues of this game's generated covers, in degrees."""
        first, second = covers.hues(self.color)
        return first, second if self.cover_hue is None else self.cover_hue
