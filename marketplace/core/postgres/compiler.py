"""Django's compilers, but a handful of rows is inserted as plain VALUES.

Django sends two rows or more as arrays to be unnested, which pays for hundreds. For the two sides of a trade, building the
arrays costs more than planning two rows does.
"""

from typing import Any

from django.db.backends.postgresql import compiler as django
from django.db.backends.postgresql.compiler import (
    SQLAggregateCompiler,
    SQLCompiler,
    SQLDeleteCompiler,
    SQLUpdateCompiler,
)
from django.db.models.sql.compiler import SQLInsertCompiler as PlainInsertCompiler

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]
FEW = 8


class SQLInsertCompiler(django.SQLInsertCompiler):
    def assemble_as_sql(self, fields: Any, value_rows: Any) -> Any:
        if len(value_rows) <= FEW:
            return PlainInsertCompiler.assemble_as_sql(self, fields, value_rows)
        return super().assemble_as_sql(fields, value_rows)
