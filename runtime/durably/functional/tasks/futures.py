"""Futures of tasks: begun at once, and taken over by whoever asks for the result first.

A task whose result is asked for at once runs in the asking thread, or is awaited directly: a
sequential program pays for no thread and no asyncio task.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from ...engine import current
from ...errors import Suspended
from .thread_pool import Pool

T = TypeVar("T")

WAITING, RUNNING, ENDED = "waiting", "running", "ended"
"""Where a task is when it is cancelled: not begun, being executed, through with it."""

Dropped: TypeAlias = Callable[[BaseException, str], None]
"""Told that a task is cancelled: the error that its owner sees, and where the task is."""


def _nobody(_: BaseException, __: str) -> None:
    """Tell nobody."""


_MAX_DEPTH = 20
"""How deep tasks that ask for tasks share one thread's stack; deeper ones begin on another."""


class _Here(threading.local):
    """How deep the calling thread is in tasks that it runs for those who ask for them."""

    depth = 0


_here = _Here()

# The states of a concurrent.futures.Future.
_PENDING, _RUNNING, _FINISHED = "PENDING", "RUNNING", "FINISHED"
_CANCELLED = frozenset({"CANCELLED", "CANCELLED_AND_NOTIFIED"})
_OVER = _CANCELLED | {_FINISHED}


class TaskFuture(Future[T], Generic[T]):
    """The result of a task called from plain code; a ``concurrent.futures.Future``.

    What others wait with, a condition and two lists, is made when somebody else comes to wait:
    most results are asked for by the code that called, which then runs the task itself.

    Args:
        work: Runs the task.
        pool: Runs *work*, unless somebody asks for the result first.
        dropped: Told when the task is cancelled.
    """

    _state: str = _PENDING
    _result: T | None = None
    _exception: BaseException | None = None
    _is_awaited = False

    def __init__(  # not super: see above
        self, work: Callable[[], T], pool: Pool, dropped: Dropped = _nobody
    ) -> None:
        self._work = [work]
        self._dropped = dropped
        self._pool = pool
        self._context = contextvars.copy_context()
        pool.offer(self)

    @classmethod
    def ended(cls, value: T | None, error: BaseException | None = None) -> TaskFuture[T]:
        """Return the future of a task whose outcome is known."""
        future = cls.__new__(cls)
        future._state = _FINISHED
        future._result, future._exception = value, error
        return future

    @classmethod
    def cancelled_before(cls) -> TaskFuture[T]:
        """Return the future of a task that the program had cancelled."""
        future = cls.__new__(cls)
        future._state = "CANCELLED_AND_NOTIFIED"
        return future

    if not TYPE_CHECKING:  # with it in sight, type checkers would believe any attribute

        def __getattr__(self, name: str) -> Any:
            """Make what others wait with: a ``Future`` looks for it under these names."""
            make = _WAITING.get(name)
            if make is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self._is_awaited = True
            return self.__dict__.setdefault(name, make())

    def done(self) -> bool:
        """Say whether there is a result, or never will be one."""
        return self._state in _OVER

    def run(self) -> None:
        """Run the task in the calling thread, unless somebody else does or did."""
        work = self._claimed()
        if work is None:
            return
        self._state = _RUNNING
        try:
            self._result = self._context.run(work)
        except BaseException as error:
            self._exception = error
        finally:
            del self._context  # a future that is kept keeps its result only
            self._end()

    def _claimed(self) -> Callable[[], T] | None:
        """Return the work if nobody has it yet: taking it out of a list is one atomic operation."""
        try:
            return self._work.pop()
        except IndexError:
            return None

    def cancel(self) -> bool:
        """Cancel the task unless it has begun; say whether it is cancelled."""
        if self._state not in _OVER and self._claimed() is not None:
            self._dropped(CancelledError(), WAITING)
            super().cancel()
            self.set_running_or_notify_cancel()
        return self._state in _CANCELLED

    def _end(self) -> None:
        """Let everybody know who waits.

        The state is set before it is looked whether somebody waits, and whoever begins to wait
        looks at the state under the condition: one of the two sees the other.
        """
        self._state = _FINISHED
        if not self._is_awaited:
            return
        with self._condition:
            for waiter in self._waiters:
                (waiter.add_result if self._exception is None else waiter.add_exception)(self)
            self._condition.notify_all()
        self._invoke_callbacks()  # type: ignore[attr-defined]

    def result(self, timeout: float | None = None) -> T:
        """Return the result, running the task here if nobody has begun it.

        Args:
            timeout: Seconds to wait; with one, the task is left to its thread.
        """
        if self._state != _FINISHED:
            self._take_over(timeout)
        if self._state != _FINISHED or self._exception is not None:
            return super().result(timeout)
        return self._result  # type: ignore[return-value]

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the task raised, or None."""
        if self._state != _FINISHED:
            self._take_over(timeout)
        return super().exception(timeout)

    def _take_over(self, timeout: float | None) -> None:
        """Have the task run: in this thread if it is to be waited for and there is room for it."""
        scope = current()
        if scope is not None:
            scope.lane.is_calling = False  # its code waits, and may learn that the run is stopping
        if self._state in _OVER:
            return
        depth = _here.depth
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
        if self._state not in _OVER:
            self._pool.begin(self)
        return (yield from asyncio.wrap_future(self).__await__())


_WAITING: dict[str, Callable[[], Any]] = {
    "_condition": threading.Condition,
    "_waiters": list,
    "_done_callbacks": list,
}


class AsyncTaskFuture(asyncio.Future[T]):
    """The result of a task called from a coroutine; an ``asyncio.Future``.

    Args:
        work: Runs the task; None for one whose outcome is set at once.
        starter: Begins *work*, unless somebody awaits the result first.
        dropped: Told when the task is cancelled.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, T]] | None,
        starter: Starter,
        dropped: Dropped = _nobody,
    ) -> None:
        super().__init__(loop=starter.loop)
        self._work = work
        self._dropped = dropped
        self._is_running = False
        self._starter = starter
        self._task: asyncio.Task[None] | None = None
        if work is not None:
            self._captured = contextvars.copy_context()
            starter.add(self)

    @classmethod
    def ended(
        cls, starter: Starter, value: Any, error: BaseException | None = None
    ) -> AsyncTaskFuture[Any]:
        """Return the future of a task whose outcome is known."""
        future = cls(None, starter)
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
        return future

    @classmethod
    def cancelled_before(cls, starter: Starter, seconds: float) -> AsyncTaskFuture[Any]:
        """Return the future of a task that the program had cancelled.

        It ends when the program cancels it again, as the same timeout does; at the latest after
        *seconds*, so that nobody waits for ever.
        """
        future: AsyncTaskFuture[Any] = cls(None, starter)
        timer = starter.loop.call_later(seconds, future.cancel, context=contextvars.Context())
        future.add_done_callback(lambda _: timer.cancel(), context=contextvars.Context())
        return future

    def begin(self) -> None:
        """Make it a task of its own, unless it has begun or is not wanted any more."""
        work, self._work = self._work, None
        if work is not None and not self.done():
            self._task = self._starter.loop.create_task(self._run(work), context=self._captured)
            del self._captured

    async def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._is_running = True
        try:
            value = await work()
        except asyncio.CancelledError as error:
            self._dropped(error, ENDED)
            super().cancel()
            raise
        except BaseException as error:
            if not self.done():
                self.set_exception(error)
            if isinstance(error, Suspended):
                self.exception()  # the run is told: asyncio need not warn of it
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            if not self.done():
                self.set_result(value)
        finally:
            self._task = None  # a future that is kept, by gather, keeps its result only

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the task, whether it has begun or not."""
        if self.done():
            return False
        task, work, self._work = self._task, self._work, None
        if self._is_running and task is not None:
            self._dropped(asyncio.CancelledError(), RUNNING)
            return task.cancel(msg)
        if task is not None:
            task.cancel(msg)  # it never takes its first step, so nobody else ends the future
        if task is not None or work is not None:
            self._dropped(asyncio.CancelledError(), WAITING)
        return super().cancel(msg)

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the task, driving it here if it has not begun."""
        work, self._work = self._work, None
        if work is None:
            return (yield from super().__await__())
        self._starter.take_back(self)
        try:
            value = yield from work().__await__()
        except asyncio.CancelledError as error:
            self._dropped(error, ENDED)
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


class Starter:
    """Begins the tasks of one event loop that nobody awaited at once, all in its next round.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: list[AsyncTaskFuture[Any]] = []
        self._is_called = False

    def add(self, future: AsyncTaskFuture[Any]) -> None:
        """Begin *future* in the next round."""
        self._waiting.append(future)
        if not self._is_called:
            self._is_called = True
            self.loop.call_soon(self._begin_all, context=contextvars.Context())

    def take_back(self, future: AsyncTaskFuture[Any]) -> None:
        """Leave *future* to the caller."""
        if self._waiting and self._waiting[-1] is future:
            self._waiting.pop()  # not kept alive; any other is passed over in the next round

    def _begin_all(self) -> None:
        self._is_called = False
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.begin()
