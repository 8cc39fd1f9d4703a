"""Order points: unordered branches are let through in the order in which they were recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..run.run import Run

STALL_SECONDS = 0.25
"""How long the recorded next may stay away, with nothing under way, before its turn is given up."""

LOOK_EVERY = STALL_SECONDS / 50


class Patience:
    """Says when to stop waiting for what was recorded: a changed program may never come to it.

    Args:
        run: The run.
        under_way: Whether somebody is at work who may still come to it; by default the run's steps
            tell.
    """

    def __init__(self, run: Run, under_way: Callable[[], bool] | None = None) -> None:
        self._run = run
        self._under_way = under_way
        self._seen = run.activity
        self._stalled = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing happened for too long; asked once each :data:`LOOK_EVERY`."""
        run = self._run
        quiet = run.is_quiet(self._seen) and not run.has_parked
        if quiet and self._under_way is not None:
            quiet = run.stopping or not self._under_way()
        self._seen = run.activity
        self._stalled = self._stalled + LOOK_EVERY if quiet else 0.0
        return self._stalled >= STALL_SECONDS


async def order_point(
    run: Run, group: str, who: str, under_way: Callable[[], bool] | None = None
) -> None:
    """Return when it is *who*'s turn in *group*; record the turn if it is a new one.

    A prompt built from the order in which branches arrived is then the same on replay.

    Args:
        run: The run.
        group: The branches that are unordered among themselves, by a path stable across processes.
        who: Which of them this is.
        under_way: Says whether a branch of the group is at work, besides those that wait here.
    """
    patience = Patience(run, under_way)
    while (head := run.order_head(group)) is not None:
        if head == who:
            run.order_passed(group)
            return
        await asyncio.sleep(LOOK_EVERY)
        if patience.is_over:
            run.order_forget(group)
    run.remember_order(group, who)
