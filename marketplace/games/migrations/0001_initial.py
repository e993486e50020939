import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import marketplace.core.ids
import marketplace.games.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60, unique=True, verbose_name="name (Uzbek)")),
                ("name_ru", models.CharField(max_length=60, verbose_name="name (Russian)")),
                ("name_en", models.CharField(max_length=60, verbose_name="name (English)")),
                ("slug", models.SlugField(unique=True)),
                (
                    "icon",
                    models.CharField(
                        blank=True,
                        help_text="A name in static/icons.svg.",
                        max_length=40,
                        verbose_name="icon",
                    ),
                ),
                ("sort_order", models.PositiveSmallIntegerField(default=0)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="games.category",
                    ),
                ),
            ],
            options={
                "verbose_name": "category",
                "verbose_name_plural": "categories",
                "ordering": ["sort_order", "slug"],
            },
        ),
        migrations.CreateModel(
            name="Game",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("name", models.CharField(max_length=80, unique=True, verbose_name="name")),
                ("slug", models.SlugField(blank=True, max_length=80, unique=True)),
                ("description", models.TextField(blank=True, verbose_name="description")),
                (
                    "icon",
                    models.CharField(blank=True, help_text="An emoji.", max_length=16, verbose_name="icon"),
                ),
                (
                    "glyph",
                    models.CharField(
                        blank=True,
                        help_text="A name in static/icons.svg, drawn on generated covers.",
                        max_length=40,
                        verbose_name="glyph",
                    ),
                ),
                ("image", models.ImageField(blank=True, upload_to="games/", verbose_name="image")),
                (
                    "color",
                    models.CharField(
                        default="#3b5bdb",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9a-fA-F]{6}\\Z", "Enter a colour as #rrggbb."
                            )
                        ],
                        verbose_name="colour",
                    ),
                ),
                (
                    "cover_hue",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="In degrees, for covers.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(359)],
                        verbose_name="second hue",
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True,
                        default=list,
                        validators=[marketplace.games.models.validate_attributes],
                        verbose_name="attributes",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("sort_order", models.PositiveSmallIntegerField(default=0, verbose_name="sort order")),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="games",
                        to="games.category",
                        verbose_name="category",
                    ),
                ),
            ],
            options={
                "verbose_name": "game",
                "verbose_name_plural": "games",
                "ordering": ["sort_order", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cover_hue__isnull", True), ("cover_hue__lt", 360), _connector="OR"
                        ),
                        name="game_cover_hue_in_circle",
                    )
                ],
            },
        ),
    ]
