"""Driving a run: its code in a fresh context from the first line, and what became of it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import CodecError, DurablyError, RunParked, Suspended
from ..journal import NO_BLOBS
from ..journal.records import Record, RunEnded, RunWaiting
from ..types import Interrupt, Status
from .cancellation import carried_out, wait_out
from .replay.lane import line_here
from .run.run import Run
from .run.unmet_effects import told_unmet
from .scope import Scope
from .scope_var import scope_var
from .unwind import QUIET_SECONDS, tasks_of, unwind, wait_swept


@dataclass(slots=True)
class Outcome:
    """How this process's part of a run ended.

    Attributes:
        status: ``done``, ``failed``, ``waiting`` or ``stopped``.
        value: The result of a run that is done.
        error: What to raise, unless the run is done or waiting.
        interrupts: What a waiting run waits for.
        wake: When a parked run is to go on, in seconds since the epoch.
    """

    status: Status
    value: Any = None
    error: BaseException | None = None
    interrupts: tuple[Interrupt, ...] = ()
    wake: float | None = None


def drive(run: Run, body: Callable[[], Any]) -> Outcome:
    """Call *body* as the run's code, and record how it ended."""
    announce(run)
    try:
        value = contextvars.copy_context().run(_inside, run, body)
    except BaseException as error:
        return conclude(run, error=error)
    return conclude(run, value=value)


async def drive_in_thread(run: Run, body: Callable[[], Any]) -> Outcome:
    """Like :func:`drive`, off the event loop.

    A cancelled caller waits for the step that is under way, so that its outcome is recorded; no
    other one begins, and the run can be continued.
    """
    driving = asyncio.create_task(asyncio.to_thread(drive, run, body))
    try:
        return await asyncio.shield(driving)
    except asyncio.CancelledError as error:
        with run.lock:
            run.failure = run.failure or error
        for one in tasks_of(run, asyncio.get_running_loop()):
            one.cancel()  # a coroutine that the run's code, in its thread, waits for
        await wait_out({driving})
        raise


async def adrive(run: Run, body: Callable[[], Coroutine[Any, Any, Any]]) -> Outcome:
    """Like :func:`drive`, for a coroutine; it runs as a task of its own."""
    announce(run)
    context = contextvars.copy_context()
    context.run(scope_var.set, Scope(run, run.root))
    loop = asyncio.get_running_loop()
    task = loop.create_task(_in_task(run, body), context=context)
    try:
        await asyncio.wait({task})
        await wait_swept(run)
        if run.stopping:
            await _finish(run)
    except asyncio.CancelledError:
        run.is_cancelled = True
        await carried_out(_cancel_whole(run, task))
        if not task.cancelled():
            task.exception()  # whoever cancelled the run is not told
        conclude(run, error=asyncio.CancelledError())
        raise
    if task.cancelled():
        return conclude(run, error=asyncio.CancelledError())
    error = task.exception()
    return await _aconclude(run, task.result() if error is None else None, error)


async def _finish(run: Run) -> None:
    """Let branches finish the steps that are under way, then cancel what is left of the run."""
    loop = asyncio.get_running_loop()
    while left := set(tasks_of(run, loop)):
        seen = run.activity
        await asyncio.wait(left, timeout=QUIET_SECONDS)
        if run.is_quiet(seen):
            break
    if left and run.targets:
        await unwind(run, loop)
    await _cancel(left)


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for one in tasks:
        one.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=1)


async def _cancel_whole(run: Run, task: asyncio.Task[Any]) -> None:
    """Cancel the run's main task and whatever it started and left behind."""
    if run.targets:
        await unwind(run, asyncio.get_running_loop())  # the main task waits for others
    task.cancel()
    if not task.done():
        await asyncio.wait({task})
    await _cancel(set(tasks_of(run, asyncio.get_running_loop())))


async def _in_task(run: Run, body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    run.root.home = line_here()
    return await body()


def _inside(run: Run, body: Callable[[], Any]) -> Any:
    with Scope(run, run.root).entered():
        return body()


def announce(run: Run) -> None:
    """Tell listeners that the run begins or goes on."""
    run.tell(run.options.listeners.run_started, run.info)


def conclude(run: Run, *, value: Any = None, error: BaseException | None = None) -> Outcome:
    """Record how the run ended, and say so."""
    end = _end(run, value, error)
    try:
        if end.records:
            run.append(*end.records, blobs=end.blobs, barrier=True)
    except Suspended as stopped:
        end = _failing(run, stopped)
    return _concluded(run, end.outcome)


async def _aconclude(run: Run, value: Any, error: BaseException | None) -> Outcome:
    """Like :func:`conclude`; the event loop goes on where the journal is slow."""
    end = _end(run, value, error)
    try:
        if end.records:
            await run.aappend(*end.records, blobs=end.blobs, barrier=True, is_alone=run.is_alone)
    except Suspended as stopped:
        end = _failing(run, stopped)
    except asyncio.CancelledError:
        _concluded(run, end.outcome)  # it is written all the same
        raise
    return _concluded(run, end.outcome)


class _End(NamedTuple):
    """How this process's part of a run ended, and what is recorded of it."""

    outcome: Outcome
    records: tuple[Record, ...] = ()
    blobs: Mapping[bytes, bytes] = NO_BLOBS


def _failing(run: Run, stopped: Suspended) -> _End:
    """Return the end of a run whose journal failed at the last moment."""
    return _End(Outcome("stopped", error=run.failure or stopped))


def _concluded(run: Run, outcome: Outcome) -> Outcome:
    run.over, run.cut = True, outcome.status != "done"
    run.tell(run.options.listeners.run_ended, run.info, outcome.status, outcome.error)
    return outcome


def _end(run: Run, value: Any, error: BaseException | None) -> _End:
    if isinstance(run.failure, asyncio.CancelledError):
        return _End(Outcome("stopped", error=run.failure))
    if run.failure is not None:
        return _ended_by(run, run.failure)
    if run.pending or run.wake is not None:
        # Whatever the program made of the signal, the run waits: a secondary error is not its end.
        return _waiting(run)
    if error is None or _is_clean_exit(error):
        return _done(run, value, error)
    if isinstance(error, Exception | SystemExit):
        return _ended_by(run, error)
    # An interruption from outside (Ctrl-C, cancellation) is not an outcome: the run can go on.
    return _End(Outcome("stopped", error=error))


def _done(run: Run, value: Any, error: BaseException | None) -> _End:
    unmet = told_unmet(run)
    if run.failure is not None:
        return _ended_by(run, run.failure)
    body, blobs = _encoded(run, value)
    ended = RunEnded("done", run.clock.now(), body, [])
    records = (ended,) if unmet is None else (unmet, ended)
    return _End(Outcome("done", value, error), records, blobs)


def _waiting(run: Run) -> _End:
    why = parked = None
    if run.wake is not None and run.parked_for is not None:
        why = f"{type(run.parked_for).__name__}: {run.parked_for}"
        parked = RunParked(run.id, run.info.thread, run.wake, why)
    waiting = RunWaiting(run.clock.now(), list(run.pending), run.wake, why or "")
    interrupts = tuple(run.pending.values())
    error = None if interrupts else parked
    return _End(Outcome("waiting", error=error, interrupts=interrupts, wake=run.wake), (waiting,))


def _ended_by(run: Run, error: BaseException) -> _End:
    if isinstance(error, DurablyError) and run.log is not None and run.log.failed:
        return _End(Outcome("stopped", error=error))
    body, blobs = _encoded(run, error)
    message = f"{type(error).__name__}: {error}"
    ended = RunEnded("failed", run.clock.now(), body, run.failed_in(error), message)
    return _End(Outcome("failed", error=error), (ended,), blobs)


def _is_clean_exit(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in (None, 0)


def _encoded(run: Run, value: Any) -> tuple[bytes, Mapping[bytes, bytes]]:
    """Encode a run's end; one that cannot be written is made again by replaying the steps."""
    try:
        return run.codec.split(value)
    except CodecError:
        return b"", NO_BLOBS
