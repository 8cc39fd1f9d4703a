"""Threads that work with a slow journal while event loops go on."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_log = logging.getLogger("durably")

T = TypeVar("T")

_MOST = 8
"""Threads; each has a connection while it works."""


class Apart:
    """A few threads of a journal's own, since an event loop's executor may be full of programs."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    async def call(self, work: Callable[[], T], undo: Callable[[T], object]) -> T:
        """Return what *work* returns; if the caller is cancelled meanwhile, have it undone.

        A cancelled caller waits for both: it may ask for the same thread again at once, and finds
        it free.

        Args:
            work: Is called in a thread, in the caller's context.
            undo: Is called in a thread with what *work* returned to a caller that was cancelled.
        """
        made = self._begin(work)
        cancelled = await _until_over(made)
        if cancelled is None:
            return made.result()
        if made.exception() is None:
            undone = self._begin(lambda: undo(made.result()))
            await _until_over(undone)
            if (error := undone.exception()) is not None:
                _log.warning("a call that was cancelled could not be undone", exc_info=error)
        raise cancelled

    def _begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.wrap_future(self._threads().submit(contextvars.copy_context().run, work))

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


async def _until_over(future: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait until *future* is over, and return the cancellation that came meanwhile, if one did."""
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    return cancelled
