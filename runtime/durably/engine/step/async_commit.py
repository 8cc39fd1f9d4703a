"""Steps of coroutines where the journal is slow: what they record is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...journal import Pace
from ...journal.records import FAILED, OK

if TYPE_CHECKING:
    from .step import Step


async def abegin(step: Step) -> None:
    """Do what :meth:`Step.begin` does; the event loop goes on while an effect is marked."""
    log = step.run.log
    if log is None or log.barrier_pace is Pace.FREE or not step.is_effect:
        step.begin()
        return
    step.begin(announce=False)
    try:
        await step.run.aappend(step.started(), barrier=True, is_alone=step.is_alone)
    except BaseException:
        step.abandon()
        raise
    step.announce()


async def afinish(step: Step, value: Any) -> Any:
    """Do what :meth:`Step.finish` does; the event loop goes on while the value is recorded."""
    if not step.is_deferred:
        return step.finish(value)
    step.came_to(value)
    await _arecord(step, OK, step.stored)
    return step.told(value)


async def afail(step: Step, error: Exception) -> None:
    """Do what :meth:`Step.fail` does; the event loop goes on while the failure is recorded."""
    if not step.is_deferred:
        step.fail(error)
    else:
        step.told_failed(error, await _arecord(step, FAILED, error))


async def _arecord(step: Step, outcome: int, value: Any) -> int:
    run = step.run
    run.executed += 1
    try:
        ended, blobs = step.ended(outcome, value)
        step.left_lane()
        row = await run.aappend(ended, blobs=blobs)
        step.is_done = outcome == OK
        return row
    finally:
        step.abandon()
