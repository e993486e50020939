"""A row for each thing that is told of the ways into a person's account."""

from django.db import migrations

TYPES = [
    ("account-way-added", "A new way into your account", "log-in"),
    ("account-way-removed", "A way into your account was taken away", "log-in"),
]


def add(apps, schema_editor):
    known = apps.get_model("notifications", "NotificationType").objects
    known.bulk_create(
        [known.model(code=code, name=name, icon=icon) for code, name, icon in TYPES], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_second_factor")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
