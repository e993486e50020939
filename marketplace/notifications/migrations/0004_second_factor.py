"""A row for each thing that is told of a person's second factor."""

from django.db import migrations

TYPES = [
    ("account-factor-added", "A second factor was set up", "fingerprint"),
    ("account-factor-removed", "A second factor was taken away", "fingerprint"),
    ("account-codes-renewed", "New recovery codes were made", "key-round"),
    ("account-code-used", "A recovery code was used", "key-round"),
]


def add(apps, schema_editor):
    known = apps.get_model("notifications", "NotificationType").objects
    known.bulk_create(
        [known.model(code=code, name=name, icon=icon) for code, name, icon in TYPES], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_types")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
