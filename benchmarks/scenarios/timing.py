"""How one piece of work is timed inside a process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable

BUDGET = 0.4
"""Seconds after which a piece of work is not repeated."""

MOST = 9
"""How often a piece of work is repeated at most."""


def typical(work: Callable[[], object]) -> float:
    """Return the median seconds of a piece of work, repeated while there is budget."""
    taken: list[float] = []
    while len(taken) < MOST and sum(taken) < BUDGET:
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


async def atypical(work: Callable[[], Awaitable[object]]) -> float:
    """Like :func:`typical`, for a coroutine function."""
    taken: list[float] = []
    while len(taken) < MOST and sum(taken) < BUDGET:
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
