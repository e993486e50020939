"""Primary keys that sort by time (UUIDv7, RFC 9562 section 5.7)."""

import os
import threading
import time
import uuid
from datetime import datetime

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A UUIDv7 that is greater than every one this process made before it.

    48 bits of milliseconds, then 12 bits that count up within one millisecond (method 1 of the RFC), then 62 random bits.
    """
    global _last
    with _lock:
        tick = (time.time_ns() // 1_000_000) << 12
        _last = tick = tick if tick > _last else _last + 1
    random = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    return uuid.UUID(int=(tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | random)


def floor_for(moment: datetime) -> uuid.UUID:
    """The smallest key of that moment: `id >= floor_for(t)` means "made at t or later"."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
