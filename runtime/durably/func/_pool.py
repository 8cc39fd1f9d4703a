"""An elastic pool of threads: as many as there are calls under way, reused, gone when idle.

A waiting call never keeps another from starting, so tasks may call tasks to any depth.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

_IDLE_SECONDS = 5.0


class Pool:
    """Runs callables at once, in an idle thread if there is one and a new one if not."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = 0
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], None]) -> None:
        """Run *work*, which must not raise, in a thread."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
                self._work.put(work)
                return
        threading.Thread(target=self._serve, args=(work,), name="durably-task", daemon=True).start()

    def _serve(self, work: Callable[[], None]) -> None:
        while True:
            work()
            del work  # what it holds must not live until the next one comes
            with self._lock:
                self._idle += 1
            try:
                work = self._work.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._idle > 0:
                        self._idle -= 1
                        return
                work = self._work.get()  # promised between the timeout and the lock
