"""Browsers that are new to somebody are asked for a code from the mail; those that were known are not."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import marketplace.core.ids


def trust_those_that_were_known(apps, _schema_editor):
    """Whoever has signed in with a browser before is not asked for a code in it."""
    known = apps.get_model("accounts", "KnownDevice").objects.exclude(cookie_hash="")
    known.update(trusted_at=models.F("seen_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_organizers"),
    ]

    operations = [
        migrations.AddField(
            model_name="knowndevice",
            name="trusted_at",
            field=models.DateTimeField(
                blank=True, help_text="Since when it signs in without a code from the mail.", null=True
            ),
        ),
        migrations.CreateModel(
            name="SignInCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_in_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["expires_at"], name="sign_in_code_expires")],
            },
        ),
        migrations.RunPython(trust_those_that_were_known, migrations.RunPython.noop),
    ]
