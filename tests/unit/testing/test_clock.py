"""The clock for tests: sleeping takes no time and moves it on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably.testing import FakeClock


def test_sleeping_moves_the_time_on():
    """Both readings grow by what was slept, and the sleeps are kept."""
    clock = FakeClock(start=100.0)
    clock.sleep(2.5)
    clock.advance(1)
    assert (clock.now(), clock.monotonic(), clock.slept) == (103.5, 3.5, [2.5])


async def test_sleeping_in_a_coroutine_lets_others_run():
    """An asynchronous sleep is a point where other tasks get their turn."""
    clock, order = FakeClock(), []

    async def other():
        order.append("other")

    task = asyncio.create_task(other())
    await clock.asleep(3600)
    order.append("slept")
    await task
    assert (order, clock.monotonic()) == (["other", "slept"], 3600)


def test_sleeps_of_many_threads_add_up():
    """No sleep is lost between threads."""
    clock = FakeClock()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.sleep, [0.5] * 2000))
    assert (clock.monotonic(), len(clock.slept)) == (1000.0, 2000)


def test_time_does_not_go_back():
    """A negative advance is refused, a negative sleep passes no time."""
    clock = FakeClock()
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    clock.sleep(-1)
    assert clock.monotonic() == 0.0
