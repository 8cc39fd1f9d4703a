"""Parking: how a run is suspended inside a framework that swallows or hangs on exceptions.

The call that cannot go on waits for ever. When nothing else is under way in the run, a sweeper,
started in the same event loop outside of the run's context, cancels the run's tasks from outside:
first the parked ones and those that the adapter names, then every task whose context carries the
run. A program's ``finally`` blocks run, its ``except Exception`` does not.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from .run.run import Run
from .scope_var import scope_var

QUIET_SECONDS = 0.02
"""How long nothing may have happened before the run counts as quiet."""

_SWEEPS = 5
_PATIENCE = 1.0

Targets = Callable[[Run, asyncio.AbstractEventLoop], Iterable["asyncio.Task[Any]"]]


async def park(run: Run) -> NoReturn:
    """Wait for ever, and have the run unwound once it is quiet."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    run.parked.append(task)
    _watch(run, loop)
    await loop.create_future()
    raise AssertionError("a parked task went on")


def _watch(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    """Start the sweeper when nothing has happened for a while."""
    if loop in run.sweepers:
        return
    seen = run.activity

    def look() -> None:
        nonlocal seen
        if loop in run.sweepers or loop.is_closed():
            return
        if run.is_quiet(seen):
            # An empty context: the sweeper must not find itself among the run's tasks.
            context = contextvars.Context()
            run.sweepers[loop] = context.run(loop.create_task, unwind(run, loop))
            return
        seen = run.activity
        loop.call_later(QUIET_SECONDS, look, context=contextvars.Context())

    loop.call_later(QUIET_SECONDS, look, context=contextvars.Context())


async def unwind(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the run's tasks of *loop* from outside, in the order in which they can end."""
    run.unwinding = True
    first = {task for task in run.parked if task.get_loop() is loop}
    for find in run.targets:
        first.update(find(run, loop))
    await _cancel(first)
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
    """Wait until the sweeper of this loop, if there is one, is through."""
    sweeper = run.sweepers.get(asyncio.get_running_loop())
    if sweeper is not None and sweeper is not asyncio.current_task():
        await asyncio.wait({sweeper}, timeout=_PATIENCE * _SWEEPS)
