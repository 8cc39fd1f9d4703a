"""Futures of tasks: begun at once, and taken over by whoever asks for the result first.

A task whose result is asked for at once runs in the asking thread, or is awaited directly: a
sequential program pays for no thread and no asyncio task.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from ._pool import Pool

T = TypeVar("T")

_MAX_DEPTH = 20
"""How deep tasks that ask for tasks share one thread's stack; deeper ones begin on another."""

_here = threading.local()


class TaskFuture(Future[T], Generic[T]):
    """The result of a task called from plain code; a ``concurrent.futures.Future``.

    Args:
        work: Runs the task.
        pool: Runs *work*, unless somebody asks for the result first.
        at_once: Run it here and now: there is nothing to wait for.
    """

    def __init__(self, work: Callable[[], T], pool: Pool, *, at_once: bool = False) -> None:
        super().__init__()
        self._work = work
        self._pool = pool
        self._mine = threading.Lock()
        self._context = contextvars.copy_context()
        if at_once:
            self.run()
        else:
            pool.offer(self)

    def run(self) -> None:
        """Run the task in the calling thread, unless somebody else does or did."""
        if not self._mine.acquire(blocking=False):
            return
        if not self.set_running_or_notify_cancel():
            return
        try:
            value = self._context.run(self._work)
        except BaseException as error:
            self.set_exception(error)
        else:
            self.set_result(value)
        finally:
            del self._work, self._context  # a future that is kept keeps its result only

    def result(self, timeout: float | None = None) -> T:
        """Return the result, running the task here if nobody has begun it.

        Args:
            timeout: Seconds to wait; with one, the task is left to its thread.
        """
        self._take_over(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the task raised, or None."""
        self._take_over(timeout)
        return super().exception(timeout)

    def _take_over(self, timeout: float | None) -> None:
        """Have the task run: in this thread if it is to be waited for and there is room for it."""
        if self.done():
            return
        depth = getattr(_here, "depth", 0)
        if timeout is not None or depth >= _MAX_DEPTH:
            self._pool.begin(self)
            return
        self._pool.take_back(self)
        _here.depth = depth + 1
        try:
            self.run()
        finally:
            _here.depth = depth

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for a plain task in a coroutine."""
        self._pool.begin(self)
        return (yield from asyncio.wrap_future(self).__await__())


class AsyncTaskFuture(asyncio.Future[T]):
    """The result of a task called from a coroutine; an ``asyncio.Future``."""

    def __init__(
        self, work: Callable[[], Coroutine[Any, Any, T]], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(loop=loop)
        self._work: Callable[[], Coroutine[Any, Any, T]] | None = work
        self._task: asyncio.Task[T] | None = None
        self._captured = contextvars.copy_context()
        self._handle = loop.call_soon(self._begin)

    def _begin(self) -> None:
        """Make it a task of its own: it was not awaited at once."""
        work, self._work = self._work, None
        if work is None or self.done():
            return
        self._task = self.get_loop().create_task(work(), context=self._captured)
        self._task.add_done_callback(self._copy)

    def _copy(self, task: asyncio.Task[T]) -> None:
        if self.done():
            return
        if task.cancelled():
            super().cancel()
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the task, whether it has begun or not."""
        self._work = None
        if self._task is not None and not self._task.done():
            return self._task.cancel(msg)
        return super().cancel(msg)

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the task, driving it here if it has not begun."""
        work, self._work = self._work, None
        if work is None:
            return (yield from super().__await__())
        self._handle.cancel()
        try:
            value = yield from work().__await__()
        except asyncio.CancelledError:
            super().cancel()
            raise
        except BaseException as error:
            if not self.done():
                self.set_exception(error)
                self.exception()  # it is raised here: nobody else has to be warned of it
            raise
        if not self.done():
            self.set_result(value)
        return value

    __iter__ = __await__
