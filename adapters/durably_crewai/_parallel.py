"""Branches of a crew that run at the same time: none goes on unrecorded after the run is over."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from durably.adapting import Scope
from durably.errors import Suspended

_futures: ContextVar[list[concurrent.futures.Future[Any]] | None] = ContextVar(
    "durably_crewai_futures", default=None
)
_tasks: ContextVar[list[asyncio.Task[Any]] | None] = ContextVar(
    "durably_crewai_tasks", default=None
)


@contextmanager
def threads_joined() -> Generator[None]:
    """Where the block fails, wait for the tasks that it started in threads.

    CrewAI leaves them running. They would go on outside of the run: paid calls and effects that
    nobody records. One that comes to a new step of a suspended run ends there.
    """
    started: list[concurrent.futures.Future[Any]] = []
    token = _futures.set(started)
    try:
        yield
    except (Exception, Suspended):
        concurrent.futures.wait(started)
        raise
    finally:
        _futures.reset(token)


@asynccontextmanager
async def tasks_joined() -> AsyncGenerator[None]:
    """Like :func:`threads_joined`, for asyncio's tasks."""
    enter_branch()
    started: list[asyncio.Task[Any]] = []
    token = _tasks.set(started)
    try:
        yield
    except (Exception, Suspended):
        waiting = {task for task in started if task is not asyncio.current_task()}
        if waiting:
            await asyncio.wait(waiting)
        for task in waiting:
            if not task.cancelled():
                task.exception()  # seen, so asyncio does not report it as lost
        raise
    finally:
        _tasks.reset(token)


def enter_branch() -> None:
    """Take note that the current asyncio task may be a branch of what goes on around it."""
    tasks, task = _tasks.get(), asyncio.current_task()
    if tasks is not None and task is not None and task not in tasks:
        tasks.append(task)


def execute_async(
    scope: Scope,
    original: Callable[..., concurrent.futures.Future[Any]],
    self: Any,
    /,
    *args: Any,
    **kwargs: Any,
) -> concurrent.futures.Future[Any]:
    """Take note of ``Task.execute_async``'s future."""
    del scope
    future = original(self, *args, **kwargs)
    started = _futures.get()
    if started is not None:
        started.append(future)
    return future


def execute_in_thread(
    scope: Scope,
    original: Callable[..., None],
    self: Any,
    /,
    *args: Any,
) -> None:
    """Forward what ends ``Task._execute_task_async``, a suspension too, to who waits for it.

    CrewAI forwards an ``Exception`` only; the crew would wait for ever.
    """
    del scope
    future: concurrent.futures.Future[Any] = args[-1]
    try:
        original(self, *args)
    except BaseException as error:
        if not future.done():
            future.set_exception(error)


async def for_each(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Wait for every crew that ``kickoff_for_each_async`` started, also where one fails."""
    del scope
    async with tasks_joined():
        return await original(self, *args, **kwargs)
