"""Joining the caller's transaction without a savepoint."""

from collections.abc import Callable
from functools import wraps

from django.db import connection, transaction


def joins_transaction[**P, R](service: Callable[P, R]) -> Callable[P, R]:
    """Run inside the caller's transaction, or in one of its own where there is none.

    Unlike a nested `atomic`, it makes no savepoint (two statements less). For services that are called within others
    and raise their refusals before their first write, so that there is nothing to take back.
    """

    @wraps(service)
    def joined(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return service(*args, **kwargs)
        with transaction.atomic():
            return service(*args, **kwargs)

    return joined
