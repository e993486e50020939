"""What the health page says beside up and down: words of the apps above that never make a server unhealthy."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

_details: dict[str, Callable[[], str]] = {}


def register_detail(name: str, value: Callable[[], str]) -> None:
    """Let an app above put one word on the health page."""
    _details[name] = value


def details() -> dict[str, str]:
    """By name; what cannot be said is "unknown"."""
    return {name: _said(name, value) for name, value in _details.items()}


def _said(name: str, value: Callable[[], str]) -> str:
    try:
        return value()
    except Exception:
        logger.exception("no word of %s", name)
        return "unknown"
