"""Turns: so many callers at a time, first come, first served, threads and coroutines alike."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import asynccontextmanager

from ..engine import Way


class Turns:
    """Places that callers take and give back, in the order in which they came.

    Args:
        places: How many callers there may be at a time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    @asynccontextmanager
    async def taken(self, way: Way) -> AsyncGenerator[None]:
        """Hold a place while the block runs; wait for one first."""
        place = self._take()
        try:
            await way.wait(place)
        except BaseException:
            if not place.cancel() and not place.cancelled():
                self._give_back()  # it was given to us in the moment in which we gave up
            raise
        try:
            yield
        finally:
            self._give_back()

    def _take(self) -> Future[None]:
        place: Future[None] = Future()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                place.set_result(None)
            else:
                self._waiting.append(place)
        return place

    def _give_back(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._free += 1
                    return
                place = self._waiting.popleft()
            if place.set_running_or_notify_cancel():  # else its caller has gone
                place.set_result(None)
                return
