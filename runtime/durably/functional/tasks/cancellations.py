"""Cancellations of tasks: who made them, and what the journal says of them.

A cancellation of the whole run, from outside or because it is suspended, is no outcome: the task is
executed again. One that the program makes itself, by a future's ``cancel``, a timeout around an
``await`` or a task group, is an outcome once the program has gone on from it. A CancelledError that
a task's own code raises is a failure of that task.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from ...engine import Run, Step, current
from ...errors import NodeCancelledError
from ...journal.records import FAILED
from .futures import ENDED, RUNNING

NOTED: Final = "cancellations"
"""The run's resource that holds cancellations until the program goes on."""
_DROPPED: Final = "dropped"


def guarded(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Callable[[], Any]:
    """Return the call of plain code, for which a CancelledError is a failure.

    Args:
        name: The task's name.
        function: The task's function.
        args: Its arguments.
        kwargs: Its arguments by name.
    """

    def call() -> Any:
        try:
            return function(*args, **kwargs)
        except (asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            if _is_ending():
                raise
            raise NodeCancelledError(name) from error

    return call


def aguarded(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Callable[[], Awaitable[Any]]:
    """Like :func:`guarded`, for a coroutine; one whose asyncio task is cancelled does not fail."""

    async def call() -> Any:
        try:
            return await function(*args, **kwargs)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if _is_ending() or (task is not None and task.cancelling()):
                raise
            raise NodeCancelledError(name) from error

    return call


def _is_ending() -> bool:
    scope = current()
    return scope is None or is_ending(scope.run)


def is_ending(run: Run) -> bool:
    """Say whether the run as a whole is being cancelled or suspended."""
    return run.stopping or run.over or run.unwinding or run.is_cancelled


def dropped(step: Step, error: BaseException, where: str) -> None:
    """Note that a task was cancelled, by the program if the run is not ending.

    Args:
        step: The task's step.
        error: The error that the program sees.
        where: Where the task is (:mod:`.futures`); one that is running may still end otherwise.
    """
    if where == ENDED:
        _cancelled(step, error)
    elif is_ending(step.run):
        return
    elif where == RUNNING:
        dropping: Any = step.run.resources.setdefault(_DROPPED, set())
        dropping.add(step)
    else:
        _cancelled(step, error)


def _cancelled(step: Step, error: BaseException) -> None:
    """Note that a step was cancelled; it is recorded when the program goes on."""
    run = step.run
    asked_for: Any = run.resources.get(_DROPPED, ())
    was_dropped = step in asked_for  # before the run began to stop
    if run.log is None or run.is_cancelled or run.over:
        return
    if step.held is not None or step.is_ended:  # it was cancelled while its outcome was written
        return
    if is_ending(run) and not (was_dropped and run.failure is None):
        return
    if not step.has_begun:
        step.begin(announce=False)
        step.abandon()
    ended, blobs = step.ended(FAILED, type(error)())
    if is_ending(run):  # the program had gone on to what the run is suspended for
        run.append(ended, blobs=blobs)
        return
    with run.lock:
        notes: Any = run.resources.setdefault(NOTED, [])
        notes.append((ended, blobs))


def record(run: Run) -> None:
    """Record what was noted: the program has gone on from it.

    Raises:
        Suspended: The journal failed, and with it the run.
    """
    notes: Any = run.resources.pop(NOTED, ())
    for ended, blobs in notes if not is_ending(run) else ():
        run.append(ended, blobs=blobs)
