"""How work is timed inside a process: by the clock on the wall, and by what the process used."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

BUDGET = 0.4
"""Seconds after which a piece of work is not repeated."""

MOST = 9
"""How often a piece of work is repeated at most."""


class Taken(NamedTuple):
    """Seconds that went by, and seconds of CPU that the process used in all its threads."""

    wall: float
    cpu: float

    def each(self, count: int) -> dict[str, float]:
        """Return the microseconds that each of *count* units took."""
        return {"us": self.wall / count * 1e6, "cpu_us": self.cpu / count * 1e6}

    def in_ms(self) -> dict[str, float]:
        """Return the milliseconds of the whole."""
        return {"ms": self.wall * 1e3, "cpu_ms": self.cpu * 1e3}


class Watch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._wall = time.perf_counter()

    def taken(self) -> Taken:
        """Return what was taken until now."""
        wall = time.perf_counter() - self._wall
        return Taken(wall, time.process_time() - self._cpu)


def typical(work: Callable[[], object]) -> Taken:
    """Return the medians of a piece of work, repeated while there is budget."""
    found: list[Taken] = []
    while _is_wanted(found):
        watch = Watch()
        work()
        found.append(watch.taken())
    return medians(found)


async def atypical(work: Callable[[], Awaitable[object]]) -> Taken:
    """Like :func:`typical`, for a coroutine function."""
    found: list[Taken] = []
    while _is_wanted(found):
        watch = Watch()
        await work()
        found.append(watch.taken())
    return medians(found)


def _is_wanted(found: list[Taken]) -> bool:
    return len(found) < MOST and sum(one.wall for one in found) < BUDGET


def medians(found: list[Taken]) -> Taken:
    """Return the median of each clock."""
    return Taken(*map(statistics.median, zip(*found, strict=True)))
