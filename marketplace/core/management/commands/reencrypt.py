"""Encrypt every encrypted column anew under the newest key, so that an old key can be thrown away."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL

from marketplace.core import encryption
from marketplace.core.fields import EncryptedTextField

BATCH = 500


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        for model in apps.get_models():
            fields = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
            if fields:
                count = self._rotate(model, [field.column or field.name for field in fields])
                self.stdout.write(f"{model._meta.label}: {count} rows")
        for name, rotate_all in encryption.elsewhere().items():
            try:
                self.stdout.write(f"{name}: {rotate_all()} rows")
            except encryption.InvalidToken as error:
                raise CommandError(f"{name}: no key in FERNET_KEY opens one of them") from error

    def _rotate(self, model: type[models.Model], columns: list[str]) -> int:
        """Walk the table by key; each batch is one transaction, so a run that is cut off can simply be repeated."""
        quote = connection.ops.quote_name
        table, key = quote(model._meta.db_table), quote(model._meta.pk.column or "id")
        # The column as it stands in the table: the field itself would decrypt it.
        tokens = {
            f"token_{number}": RawSQL(f"{table}.{quote(column)}", ())  # noqa: S611 (names from our own models)  # nosec B611
            for number, column in enumerate(columns)
        }
        assignments = ", ".join(f"{quote(column)} = %s" for column in columns)
        update = f"UPDATE {table} SET {assignments} WHERE {key} = %s"  # noqa: S608 (names from our own models)  # nosec B608
        last, count = None, 0
        while True:
            with transaction.atomic():
                rows = (
                    model._base_manager.select_for_update()
                    if connection.features.has_select_for_update
                    else model._base_manager
                )
                found = rows.order_by("pk").annotate(**tokens).values_list("pk", *tokens)
                batch = list(found.filter(pk__gt=last)[:BATCH] if last else found[:BATCH])
                if not batch:
                    return count
                for pk, *old in batch:
                    try:
                        new = [token and encryption.rotate(token) for token in old]
                    except encryption.InvalidToken as error:
                        raise CommandError(
                            f"{model._meta.label} {pk}: no key in FERNET_KEY opens it"
                        ) from error
                    with connection.cursor() as cursor:
                        cursor.execute(update, [*new, model._meta.pk.get_db_prep_value(pk, connection)])
            last, count = batch[-1][0], count + len(batch)
