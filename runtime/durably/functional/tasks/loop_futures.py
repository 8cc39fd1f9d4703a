"""Futures of coroutine tasks that plain code in a thread calls: an event loop runs them."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from .futures import ENDED, RUNNING, Dropped, TaskFuture
from .thread_pool import Pool

T = TypeVar("T")

Work = Callable[[], Coroutine[Any, Any, T]]


class LoopTaskFuture(TaskFuture[T]):
    """The result of a coroutine task, for plain code in another thread than its event loop's.

    Args:
        work: Runs the task.
        loop: The event loop, which turns in another thread.
        pool: Begins *work*, unless somebody asks for the result first.
        dropped: Told when the task is cancelled.
    """

    def __init__(
        self, work: Work[T], loop: asyncio.AbstractEventLoop, pool: Pool, dropped: Dropped
    ) -> None:
        self._journey = _Journey(work, loop, dropped)
        super().__init__(self._journey.result, pool, dropped)

    def cancel(self) -> bool:
        """Cancel the task, even if it is running; say whether it is cancelled already."""
        if super().cancel():
            return True
        if not self.done():
            self._dropped(asyncio.CancelledError(), RUNNING)
            self._journey.cancel()
        return False


class _Journey:
    """One coroutine's way into an event loop, and its outcome's way back."""

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop, dropped: Dropped) -> None:
        self._work = work
        self._dropped = dropped
        self._loop = loop
        self._back: Future[Any] = Future()
        self._task: asyncio.Task[Any] | None = None
        self._is_cancelled = False
        self._lock = threading.Lock()

    def result(self) -> Any:
        """Run the coroutine, and return what it returns."""
        context = contextvars.copy_context()
        self._loop.call_soon_threadsafe(self._begin, context, context=contextvars.Context())
        return self._back.result()

    def cancel(self) -> None:
        """Cancel the coroutine now or, if it has not begun, as soon as it does."""
        with self._lock:
            self._is_cancelled = True
            task = self._task
        if task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(task.cancel)

    def _begin(self, context: contextvars.Context) -> None:
        with self._lock:
            task = self._task = self._loop.create_task(self._run(), context=context)
            is_cancelled = self._is_cancelled
        task.add_done_callback(self._ended, context=contextvars.Context())
        if is_cancelled:
            task.cancel()

    async def _run(self) -> Any:
        try:
            return await self._work()
        except asyncio.CancelledError as error:
            self._dropped(error, ENDED)
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._back.set_exception(asyncio.CancelledError())
            return
        error = task.exception()
        if error is None:
            self._back.set_result(task.result())
        else:
            self._back.set_exception(error)
