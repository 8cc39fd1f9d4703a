"""Threads that work with a slow journal while event loops go on."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_MOST = 8
"""Threads; each has a connection while it works."""


class Apart:
    """A few threads of a journal's own, since an event loop's executor may be full of programs."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    async def call(self, work: Callable[[], T], undo: Callable[[T], object]) -> T:
        """Return what *work* returns; if the caller is cancelled meanwhile, have it undone."""
        future = self._threads().submit(contextvars.copy_context().run, work)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:

            def ended(done: Future[T]) -> None:
                if done.exception() is None:
                    undo(done.result())

            future.add_done_callback(ended)
            raise

    def close(self) -> None:
        """Let the threads end."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
                self._pool = None

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="durably-journal")
            return self._pool
