"""Secrets that providers change over their own protocols, encrypted."""

import django.utils.timezone
from django.db import migrations, models

import marketplace.core.fields
import marketplace.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_payout_desk"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderCredential",
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
                ("provider", models.CharField(max_length=32, unique=True)),
                ("secret", marketplace.core.fields.EncryptedTextField()),
            ],
            options={
                "abstract": False,
            },
        ),
    ]
