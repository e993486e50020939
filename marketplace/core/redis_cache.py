"""Django's Redis cache with its client objects kept: making one anew for each look-up costs more than the look-up.

Django makes a cache object for each context, so for each connection that is open, and with it a pool of connections to Redis.
Those are one for the whole process here: 2,000 idle sockets would else hold 2,000 of them, at 40 KiB and a file descriptor each.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.core.cache.backends import redis


class KeptClients(redis.RedisCacheClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        client = self._kept.get(write)
        if client is None:
            client = self._kept[write] = super().get_client(key, write=write)
        return client

    def set_many(self, data: Mapping[Any, Any], timeout: Any) -> None:
        """One value needs no transaction of Redis, which costs four commands."""
        if len(data) == 1:
            ((key, value),) = data.items()
            self.set(key, value, timeout)
        else:
            super().set_many(data, timeout)


_of_process: dict[str, KeptClients] = {}


class RedisCache(redis.RedisCache):
    """Clients stand on a pool, which threads may share (and so may they)."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClients
        self._made_of = server, params.get("OPTIONS", {})

    @cached_property
    def _cache(self) -> KeptClients:
        server, options = self._made_of
        servers = server.replace(";", ",").split(",")
        return _of_process.setdefault(repr(self._made_of), KeptClients(servers, **options))
