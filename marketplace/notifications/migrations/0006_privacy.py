"""A row for each thing that is told of a person's data: a copy that is ready, an account that is to be deleted; and of organisers."""

from django.db import migrations

TYPES = [
    ("account-export-ready", "The copy of your data is ready", "download"),
    ("account-deletion-asked", "Your account will be deleted", "trash-2"),
    ("account-deletion-taken-back", "Your account stays", "user-check"),
    ("organizer-waiting", "Somebody wants to hold events", "calendar-days"),
    ("organizer-approved", "You may hold events now", "calendar-days"),
    ("organizer-rejected", "Your application as an organiser was rejected", "calendar-days"),
    ("account-deletion-put-off", "Your account could not be deleted yet", "triangle-alert"),
]


def add(apps, schema_editor):
    known = apps.get_model("notifications", "NotificationType").objects
    known.bulk_create(
        [known.model(code=code, name=name, icon=icon) for code, name, icon in TYPES], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("notifications", "0005_ways_in")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
