"""Lookups that Django lacks."""

import re
from typing import Any

from django.db.models import CharField
from django.db.models.lookups import Exact

_WORD = re.compile(r"[a-z_]*")


@CharField.register_lookup
class Literally(Exact):
    """`status__literally="active"`: the word stands in the statement itself, not beside it as a parameter.

    A partial index is for one value. PostgreSQL may plan a prepared statement once for all its parameters, and a plan for
    any status cannot use the index that is kept for "active" only. For words of our own; others are refused.
    """

    lookup_name = "literally"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        word = str(self.rhs)
        if not _WORD.fullmatch(word):
            raise ValueError(f"not a word to stand in a statement: {word!r}")
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = '{word}'", parameters
