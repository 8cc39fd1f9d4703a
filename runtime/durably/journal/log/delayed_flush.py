"""Writes what ``durability="async"`` keeps back, a moment later and many records at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

FLUSH_SECONDS = 0.01
"""How long a record waits for others to be written with it."""


class Flusher:
    """One daemon thread for all logs of a journal; it sleeps while none has anything to write.

    Args:
        pause: Waits for that many seconds.
    """

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self._due: dict[int, Callable[[], None]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._process = 0

    def soon(self, key: int, flush: Callable[[], None]) -> None:
        """Call *flush*, which must not raise, within a moment; once, however often it is asked.

        Args:
            key: Whose it is.
            flush: Writes what is there by then.
        """
        with self._lock:
            self._due[key] = flush
            is_running, self._process = self._process == os.getpid(), os.getpid()
        self._wake.set()
        if not is_running:
            threading.Thread(target=self._serve, name="durably-flusher", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._wake.wait()
            self._pause(FLUSH_SECONDS)
            with self._lock:
                due, self._due = list(self._due.values()), {}
                self._wake.clear()
            for flush in due:
                flush()
