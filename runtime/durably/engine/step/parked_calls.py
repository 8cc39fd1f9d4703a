"""Calls that cannot go on are parked where no exception passes; steps around them end."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from ..base_scope import BaseScope
from ..replay.lane import inside
from ..unwind import leaving_here, suspended
from .step import Step


async def park(scope: BaseScope) -> NoReturn:
    """Wait for ever, and have the region around *scope* unwound once it is quiet.

    Raises:
        Suspended: Exceptions pass there.
    """
    region = scope.region
    if region is None or not region.is_here:
        raise suspended(scope.run)
    await region.park(scope.lane.path)


def signal_unwound(step: Step, error: BaseException) -> None:
    """Raise the signal where a region inside *step* was unwound that has no edge of its own.

    Args:
        step: The step, which has ended.
        error: What has come out of it; only a cancellation can be due to a region.

    Raises:
        Suspended: That is why; whoever is around the step hears of a question in it.
    """
    if not isinstance(error, asyncio.CancelledError):
        return
    run = step.run
    leaving = leaving_here(run)
    if leaving is not None and inside(leaving.region.path, step.inner):
        leaving.end()
        raise suspended(run)
    if run.stopping and asyncio._get_running_loop() is None:  # of a loop that the step ran
        raise suspended(run)
