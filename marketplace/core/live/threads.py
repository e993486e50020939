"""Where connections run ordinary code: queries and templates, which would hold up all the others in the event loop."""

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings


def in_thread[**Args, Result](
    function: Callable[Args, Result],
) -> Callable[Args, Coroutine[Any, Any, Result]]:
    """The function as a coroutine that runs in one of LIVE_THREADS threads, each with a database connection of its own.

    Channels would run everything of a process in one single thread, so that each message waits for the database's answers
    to all before it. With LIVE_THREADS at 1 it is that thread: SQLite has one writer anyway.
    """
    if settings.LIVE_THREADS > 1:
        pool = _threads(settings.LIVE_THREADS)
        return database_sync_to_async(function, thread_sensitive=False, executor=pool)
    return database_sync_to_async(function)


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="live")
