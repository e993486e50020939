"""Django's compilers, but a handful of rows is inserted as plain VALUES, in words that are put together once.

Django sends two rows or more as arrays to be unnested, which pays for hundreds. For the two sides of a trade, building the
arrays costs more than planning two rows does. And it composes the same statement anew for each row that is saved.
"""

from typing import Any

from django.db.backends.postgresql import compiler as django
from django.db.backends.postgresql.compiler import (
    SQLAggregateCompiler,
    SQLCompiler,
    SQLDeleteCompiler,
    SQLUpdateCompiler,
)
from django.db.models import BinaryField
from django.db.models.sql.compiler import SQLInsertCompiler as PlainInsertCompiler

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]
FEW = 8

# The statement for so many rows of these columns, and what it gives back. As many as the code has kinds of inserts.
_statements: dict[tuple[Any, ...], str] = {}


class SQLInsertCompiler(django.SQLInsertCompiler):
    def as_sql(self) -> Any:  # type: ignore[override]  # as Django's own: a list of statements
        query: Any = self.query
        rows = len(query.objs)
        if rows > FEW or query.on_conflict or query.raw:
            return super().as_sql()
        params = []
        for row in query.objs:
            for field in query.fields:
                value = field.pre_save(row, add=True)
                if hasattr(value, "resolve_expression"):  # it is part of the statement, not a value of it
                    return super().as_sql()
                params.append(field.get_db_prep_save(value, self.connection))
        back = tuple(field.column for field in self.returning_fields or ())
        shape = (query.model, rows, back, *(field.column for field in query.fields))
        statement = _statements.get(shape)
        if statement is None:
            composed = super().as_sql()
            if query.fields and not any(map(_is_special, query.fields)):
                _statements[shape] = composed[0][0]
            return composed
        return [(statement, tuple(params))]

    def assemble_as_sql(self, fields: Any, value_rows: Any) -> Any:
        if len(value_rows) <= FEW:
            return PlainInsertCompiler.assemble_as_sql(self, fields, value_rows)
        return super().assemble_as_sql(fields, value_rows)


def _is_special(field: Any) -> bool:
    """Whether what stands in the statement for this field depends on its value. Bytes ask for something special elsewhere."""
    if isinstance(field, BinaryField):
        return False
    return bool(field.has_db_default() or hasattr(field, "get_placeholder_sql"))
