"""Keep the words' indexes quick to read.

A GIN index collects new rows in a list that each search reads from end to end: up to 4 MB of it, which cost more than the
search itself. 64 kB still gathers the words of a few dozen offers. The trigrams of titles were read by nobody.
"""

from django.db import migrations

INDEXES = ("listing_title_search", "listing_search")


def forward(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("DROP INDEX listing_title_trigrams")
    for name in INDEXES:
        schema_editor.execute(f"ALTER INDEX {name} SET (gin_pending_list_limit = 64)")
        schema_editor.execute(f"SELECT gin_clean_pending_list('{name}')")


def backward(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in INDEXES:
        schema_editor.execute(f"ALTER INDEX {name} RESET (gin_pending_list_limit)")
    schema_editor.execute(
        "CREATE INDEX listing_title_trigrams ON listings_listing USING gin (search_title gin_trgm_ops)"
    )


class Migration(migrations.Migration):
    dependencies = [("listings", "0002_search")]
    operations = [migrations.RunPython(forward, backward)]
