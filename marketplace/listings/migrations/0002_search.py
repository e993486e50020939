"""Extensions, and what PostgreSQL needs to find words: a stored vector, and trigrams for mistyped ones.

The text is folded to one Latin spelling before it is stored (core/search.py), in which Uzbek, Russian and English words
stand side by side, so the 'simple' configuration is used: see docs/decisions/0002-search.md. Nothing here on SQLite.
"""

from django.contrib.postgres.operations import CreateExtension, TrigramExtension, UnaccentExtension
from django.db import migrations

FORWARD = [
    # Two vectors and not one with weights: an index knows no weights, so "in the title" would visit every row that has
    # the word anywhere. Both are immutable functions of stored columns.
    """
    ALTER TABLE listings_listing
        ADD COLUMN title_vector tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, search_title)) STORED,
        ADD COLUMN search_vector tsvector GENERATED ALWAYS AS (
            to_tsvector('simple'::regconfig, search_title || ' ' || search_text)
        ) STORED
    """,
    """
    CREATE INDEX listing_title_search ON listings_listing USING gin (title_vector)
        WHERE status = 'active' AND deleted_at IS NULL
    """,
    """
    CREATE INDEX listing_search ON listings_listing USING gin (search_vector)
        WHERE status = 'active' AND deleted_at IS NULL
    """,
    # Mistyped words are set right against the few thousand words that are in use, not against 100 000 titles.
    "CREATE INDEX search_word_trigrams ON listings_searchword USING gin (sound gin_trgm_ops)",
    # Moderators and sellers find a listing by a part of its title.
    "CREATE INDEX listing_title_trigrams ON listings_listing USING gin (search_title gin_trgm_ops)",
]
BACKWARD = [
    "DROP INDEX listing_title_trigrams",
    "DROP INDEX search_word_trigrams",
    "ALTER TABLE listings_listing DROP COLUMN search_vector, DROP COLUMN title_vector",
]


def _run(statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("listings", "0001_initial")]
    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        CreateExtension("uuid-ossp"),
        migrations.RunPython(_run(FORWARD), _run(BACKWARD)),
    ]
