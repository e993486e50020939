"""Codes by SMS; a number belongs to one person once it is confirmed, and may be written by anybody before."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import marketplace.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_security_events"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="PhoneCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=13)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("sign_in", "sign in"), ("confirm", "confirm the number")], max_length=7
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "delivery",
                    models.CharField(
                        blank=True, default="", help_text="What the provider said last.", max_length=20
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddField(
            model_name="user",
            name="phone_confirmed_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="phone number confirmed"
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="phone_number",
            field=models.CharField(
                blank=True,
                db_index=True,
                max_length=13,
                null=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "^\\+998\\d{9}\\Z",
                        "Enter the number as +998 and nine digits, for example +998 90 123 45 67.",
                    )
                ],
                verbose_name="phone number",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("phone_confirmed_at__isnull", True), ("phone_number__isnull", False), _connector="OR"
                ),
                name="user_phone_confirmed_is_there",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("phone_confirmed_at__isnull", False)),
                fields=("phone_number",),
                name="user_phone_once_confirmed",
            ),
        ),
        migrations.AddField(
            model_name="phonecode",
            name="user",
            field=models.ForeignKey(
                blank=True,
                help_text="Whom it lets in; empty where nobody has this number.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="phone_codes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="phonecode",
            index=models.Index(fields=["number", "-created_at"], name="phone_code_of_number"),
        ),
        migrations.AddIndex(
            model_name="phonecode",
            index=models.Index(fields=["expires_at"], name="phone_code_expires"),
        ),
    ]
