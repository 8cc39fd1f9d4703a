"""Order points: unordered branches are let through in the order in which they were recorded."""

from __future__ import annotations

import asyncio

from ._run import Run

STALL_SECONDS = 0.25
"""How long the recorded next may stay away, with nothing under way, before its turn is given up."""


async def order_point(run: Run, group: str, who: str) -> None:
    """Return when it is *who*'s turn in *group*; record the turn if it is a new one.

    A prompt built from the order in which branches arrived is then the same on replay.

    Args:
        run: The run.
        group: The branches that are unordered among themselves, by a path stable across processes.
        who: Which of them this is.
    """
    stalled = 0.0
    seen = run.activity
    while (head := run.order_head(group)) is not None:
        if head == who:
            run.order_passed(group)
            return
        await asyncio.sleep(STALL_SECONDS / 50)
        quiet = run.activity == seen and run.inflight == 0 and not run.parked
        stalled = stalled + STALL_SECONDS / 50 if quiet else 0.0
        seen = run.activity
        if stalled >= STALL_SECONDS:
            run.order_forget(group)
    run.remember_order(group, who)
