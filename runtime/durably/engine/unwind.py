"""Parking: how a run is suspended inside a framework that swallows or hangs on exceptions.

The call that cannot go on waits for ever. When nothing else is under way, a sweeper, started in the
same event loop outside of the run's context, cancels the tasks of the region from outside: first
the parked ones and those that the adapter names, then every task whose context lies in the region.
A program's ``finally`` blocks run, its ``except Exception`` does not. At the region's edge, where
exceptions pass again, the cancellation turns into the signal: a step around the region, and the
program, see what they would see if the question had been asked there.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, NoReturn

from ..errors import Suspended
from .replay.lane import inside
from .run.held_lanes import holding, is_working
from .run.run import Run
from .scope_var import scope_var

QUIET_SECONDS = 0.02
"""How long nothing may have happened before the run counts as quiet."""

_GRACE = 1.0
"""How long a region that is quiet waits for the rest of the run, which may wait for the region."""

_SWEEPS = 5
_PATIENCE = 1.0

Targets = Callable[[Run, asyncio.AbstractEventLoop], Iterable["asyncio.Task[Any]"]]

_running_loop = asyncio._get_running_loop


class Region:
    """A part of a run that no exception can leave by itself.

    Args:
        run: The run.
        path: The lane that it is, with everything in it.
        finders: What finds the tasks to be cancelled first.
    """

    def __init__(self, run: Run, path: str, finders: tuple[Targets, ...]) -> None:
        self.run = run
        self.path = path
        self._finders = finders
        self._loop = _running_loop()
        self._parked: set[asyncio.Task[Any]] = set()
        self._is_watched = False

    @property
    def is_here(self) -> bool:
        """Whether the calling code runs in its event loop: exceptions leave any other."""
        return self._loop is not None and self._loop is _running_loop()

    async def park(self, lane: str) -> NoReturn:
        """Wait for ever, and have the region unwound once it is quiet.

        Args:
            lane: The lane of the call that cannot go on.
        """
        task = asyncio.current_task()
        assert task is not None
        assert self._loop is not None
        self._parked.add(task)
        try:
            with holding(self.run.held, lane, self):
                self._watch(self._loop)
                await self._loop.create_future()
        finally:
            self._parked.discard(task)
        raise AssertionError("a parked task went on")

    @contextmanager
    def edge(self) -> Generator[None]:
        """Turn the cancellation of the region into the signal, where exceptions pass again.

        Raises:
            Suspended: The region was unwound.
        """
        try:
            yield
        except BaseException:
            if self.has_left():
                raise suspended(self.run) from None
            raise
        if self.has_left():
            raise suspended(self.run)

    def has_left(self) -> bool:
        """Say whether the current task was cancelled to unwind the region, which it has left."""
        leaving = leaving_here(self.run)
        if leaving is None or leaving.region is not self:
            return False
        leaving.end()
        return True

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the sweeper when nothing has happened for a while."""
        if self._is_watched:
            return
        self._is_watched = True
        run, seen, waited = self.run, self.run.activity, 0.0

        def look() -> None:
            nonlocal seen, waited
            if loop.is_closed():
                return
            is_quiet = not is_working(run.busy, run.held, self.path, self)
            waited = waited + QUIET_SECONDS if is_quiet else 0.0
            if is_quiet and (run.is_quiet(seen) or waited >= _GRACE):
                # An empty context: the sweeper must not find itself among the run's tasks.
                sweeper = contextvars.Context().run(loop.create_task, self._sweep(loop))
                run.sweepers.add(sweeper)
                return
            seen = run.activity
            loop.call_later(QUIET_SECONDS, look, context=contextvars.Context())

        loop.call_later(QUIET_SECONDS, look, context=contextvars.Context())

    async def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self.run.unwinding = True
        named = (task for find in self._finders for task in find(self.run, loop))
        await self._cancel(loop, {*self._parked, *filter(self._holds, named)})
        for _ in range(_SWEEPS):
            left = set(filter(self._holds, tasks_of(self.run, loop)))
            if not left:
                break
            await self._cancel(loop, left)
        self._is_watched = False
        if self._parked:
            self._watch(loop)

    async def _cancel(
        self, loop: asyncio.AbstractEventLoop, tasks: Iterable[asyncio.Task[Any]]
    ) -> None:
        waiting: list[asyncio.Future[None]] = []
        for task in tasks:
            if task.done():
                continue
            leaving = self.run.leaving.get(task)
            if leaving is None or leaving.region is not self:
                leaving = self.run.leaving[task] = Leaving(self, task, loop)
            leaving.cancel()
            waiting.append(leaving.left)
        if waiting:
            await asyncio.wait(waiting, timeout=_PATIENCE)

    def _holds(self, task: asyncio.Task[Any]) -> bool:
        context = context_of(task)
        scope = context.get(scope_var) if context is not None else None
        return scope is not None and scope.run is self.run and inside(scope.lane.path, self.path)


class Leaving:
    """A task that is cancelled to unwind a region.

    Attributes:
        region: The region.
        left: Done when the task has ended, or has left the region and goes on.
    """

    def __init__(
        self, region: Region, task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.region = region
        self.left: asyncio.Future[None] = loop.create_future()
        self._task = task
        self._count = 0
        task.add_done_callback(self._ended, context=contextvars.Context())

    def cancel(self) -> None:
        """Cancel the task once more."""
        self._count += 1
        self._task.cancel()

    def end(self) -> None:
        """Let the task, which has left the region, go on as if it had not been cancelled."""
        for _ in range(self._count):
            self._task.uncancel()
        self._count = 0
        self._over()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # the run is told: asyncio need not warn of it
        self._over()

    def _over(self) -> None:
        if self.region.run.leaving.get(self._task) is self:
            del self.region.run.leaving[self._task]
        if not self.left.done():
            self.left.set_result(None)


def leaving_here(run: Run) -> Leaving | None:
    """Return what is known of the current task, if it is cancelled to unwind a region of *run*."""
    if not run.leaving or _running_loop() is None:
        return None
    leaving: Leaving | None = run.leaving.get(asyncio.current_task())
    return leaving


def suspended(run: Run) -> Suspended:
    """Return the signal that a run is being suspended."""
    return Suspended(f"run {run.id} is being suspended")


async def unwind(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    """Cancel all tasks of *run* in *loop* from outside, in the order in which they can end."""
    run.unwinding = True
    await _cancel({task for find in run.targets for task in find(run, loop)})
    for _ in range(_SWEEPS):
        left = set(tasks_of(run, loop))
        if not left:
            return
        await _cancel(left)


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    waiting = {task for task in tasks if not task.done()}
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting, timeout=_PATIENCE)


def tasks_of(run: Run, loop: asyncio.AbstractEventLoop) -> Iterable[asyncio.Task[Any]]:
    """Yield the unfinished tasks of *loop* whose context carries *run*."""
    me = asyncio.current_task(loop)
    for task in asyncio.all_tasks(loop):
        if task is me or task.done():
            continue
        context = context_of(task)
        scope = context.get(scope_var) if context is not None else None
        if scope is not None and scope.run is run:
            yield task


def context_of(task: asyncio.Task[Any]) -> contextvars.Context | None:
    """Return the context that *task* runs in; Python offers it from 3.12 on."""
    if sys.version_info >= (3, 12):
        return task.get_context()
    found = (one for one in gc.get_referents(task) if type(one) is contextvars.Context)
    return next(found, None)


async def wait_swept(run: Run) -> None:
    """Wait until the sweepers of this loop, if there are any, are through."""
    loop = asyncio.get_running_loop()
    sweepers = {one for one in tuple(run.sweepers) if one.get_loop() is loop}
    sweepers.discard(asyncio.current_task())
    if sweepers:
        await asyncio.wait(sweepers, timeout=_PATIENCE * _SWEEPS)
