"""The games that are sold on the first day. On an existing database nothing that an admin changed is touched."""

from django.db import migrations

from marketplace.games.migrations import _games


def add(apps, schema_editor):
    Category, Game = apps.get_model("games", "Category"), apps.get_model("games", "Game")
    categories = {}
    for order, (slug, uz, ru, en, icon, parent) in enumerate(_games.CATEGORIES):
        categories[slug], _made = Category.objects.get_or_create(
            slug=slug,
            defaults={
                "name": uz, "name_ru": ru, "name_en": en, "icon": icon, "sort_order": order,
                "parent": categories[parent] if parent else None,
            },
        )  # fmt: skip
    for order, (name, slug, category, icon, glyph, color, hue, given) in enumerate(_games.GAMES):
        Game.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name, "category": categories[category], "icon": icon, "glyph": glyph, "color": color,
                "cover_hue": hue, "attributes": _games.schema_of(slug, given), "sort_order": order,
            },
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("games", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
