"""Who acts when a person is switched off: the apps above register here in `AppConfig.ready()`; accounts know none of them."""

import uuid
from collections.abc import Callable

type Handler = Callable[[uuid.UUID], object]

_handlers: list[Handler] = []


def register(handler: Handler) -> None:
    """Call `handler(user_id)` in the transaction that switches a person off. It may be called again for the same one."""
    if handler not in _handlers:
        _handlers.append(handler)


def close(user_id: uuid.UUID) -> None:
    for handler in _handlers:
        handler(user_id)
