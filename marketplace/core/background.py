"""Work beside the answers: a queue in memory, and one thread per process that works it off."""

import os
import queue
import threading
from collections.abc import Callable


class Background[T]:
    """What is put into `waiting` is for `work`, which runs in a thread of its own until the process ends.

    The thread starts with the first parcel. A forked worker has its parent's variables but not its thread, so it begins
    anew, with nothing waiting. What a dying process still had in hand is lost.
    """

    def __init__(self, name: str, work: Callable[[], object], *, most: int = 0) -> None:
        self._name, self._work, self._most = name, work, most
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self.waiting: queue.Queue[T] = queue.Queue(self._most)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, parcel: T) -> None:
        """Never waits. Raises queue.Full where `most` parcels wait already."""
        self.waiting.put_nowait(parcel)
        if self._runs():
            return
        with self._starting:
            if not self._runs():
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()
