"""The audit trail, and its law: no row is changed, and none is deleted but by the clean-up, and not before 30 days.

On SQLite a later migration that rebuilds the table (AlterField and the like) drops the triggers: such a migration must lay
them again; `test_trail.py` notices when one is missing.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import marketplace.accounts.models
import marketplace.core.ids

POSTGRES = [
    # TRUNCATE is let through only where a session says so, which the test suite does between tests (ledger/testing.py).
    """
    CREATE FUNCTION accounts_trail_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' AND current_setting('wibestore.allow_truncate', true) = 'on' THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'DELETE' THEN
            IF current_setting('wibestore.trail_clean_up', true) = 'on' AND OLD.at < now() - interval '30 days' THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'the audit trail is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER accounts_trail_append_only_{when.lower()} BEFORE {when} ON accounts_securityevent
        FOR EACH {"STATEMENT" if when == "TRUNCATE" else "ROW"} EXECUTE FUNCTION accounts_trail_append_only()
        """
        for when in ("UPDATE", "DELETE", "TRUNCATE")
    ),
]
POSTGRES_BACK = [
    *(
        f"DROP TRIGGER accounts_trail_append_only_{when} ON accounts_securityevent"
        for when in ("update", "delete", "truncate")
    ),
    "DROP FUNCTION accounts_trail_append_only",
]

# SQLite has no session settings: the clean-up lays a row here for as long as its transaction takes.
SQLITE = [
    "CREATE TABLE accounts_trail_clean_up (is_open integer NOT NULL)",
    """
    CREATE TRIGGER accounts_append_only_update_trail BEFORE UPDATE ON accounts_securityevent
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: UPDATE is refused'); END
    """,
    """
    CREATE TRIGGER accounts_append_only_delete_trail BEFORE DELETE ON accounts_securityevent
    WHEN NOT EXISTS (SELECT 1 FROM accounts_trail_clean_up) OR OLD.at > datetime('now', '-30 days')
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE is refused'); END
    """,
    # INSERT OR REPLACE would delete without a delete trigger.
    """
    CREATE TRIGGER accounts_append_only_replace_trail BEFORE INSERT ON accounts_securityevent
    WHEN EXISTS (SELECT 1 FROM accounts_securityevent WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: accounts_securityevent'); END
    """,
]
SQLITE_BACK = [
    *(f"DROP TRIGGER accounts_append_only_{name}_trail" for name in ("update", "delete", "replace")),
    "DROP TABLE accounts_trail_clean_up",
]


def _run(schema_editor, postgres, sqlite):
    for statement in {"postgresql": postgres, "sqlite": sqlite}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def lay(apps, schema_editor):
    _run(schema_editor, POSTGRES, SQLITE)


def lift(apps, schema_editor):
    _run(schema_editor, POSTGRES_BACK, SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_payout_locks"),
    ]

    operations = [
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=marketplace.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="time"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=marketplace.accounts.models.security_event_kinds,
                        max_length=32,
                        verbose_name="what",
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True, verbose_name="network address")),
                ("device", models.CharField(blank=True, max_length=60, verbose_name="device")),
                ("object_type", models.CharField(blank=True, max_length=60, verbose_name="kind of thing")),
                (
                    "object_id",
                    models.CharField(blank=True, max_length=40, verbose_name="number of the thing"),
                ),
                ("context", models.JSONField(default=dict, verbose_name="details")),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        help_text="Empty when nobody was signed in, or a command did it.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        help_text="Empty when somebody tried an address that nobody has.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="security_events",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="about",
                    ),
                ),
            ],
            options={
                "verbose_name": "security event",
                "verbose_name_plural": "security events",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["user", "-at"], name="security_event_of_user"),
                    models.Index(fields=["actor", "-at"], name="security_event_by_actor"),
                    models.Index(fields=["kind", "-at"], name="security_event_of_kind"),
                    models.Index(fields=["at"], name="security_event_at"),
                ],
            },
        ),
        migrations.RunPython(lay, lift),
    ]
