"""Steps one after another, in one run or in many runs at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from ..peers.interface import Peer
from .checks import expect, sum_of_steps
from .timers import Taken, Watch, atypical, typical

WARM = 20
EACH = 10
"""How many steps a run has in the scenarios of many runs."""

RUNS = 1000
FEWER = {"dbos": 300}
"""How many runs there are in those scenarios; fewer where a thousand would take minutes."""


def steps(peer: Peer, count: int) -> dict[str, float]:
    """Measure a run of *count* steps of plain functions: microseconds for each step."""

    def once() -> None:
        peer.executed.clear()
        expect(peer.steps(count), sum_of_steps(count), "the sum of the steps")
        expect(len(peer.executed), count, "steps executed")

    with peer.opened():
        peer.steps(WARM)
        return typical(once).each(count)


def asteps(peer: Peer, count: int) -> dict[str, float]:
    """Measure a run of *count* steps of coroutines: microseconds for each step."""

    async def once() -> None:
        peer.executed.clear()
        expect(await peer.asteps(count), sum_of_steps(count), "the sum of the steps")
        expect(len(peer.executed), count, "steps executed")

    async def measured() -> Taken:
        async with peer.aopened():
            await peer.asteps(WARM)
            return await atypical(once)

    return asyncio.run(measured()).each(count)


def many(peer: Peer, workers: int) -> dict[str, float]:
    """Measure a thousand runs of ten steps from a pool of threads: steps in a second."""
    runs = FEWER.get(peer.subject.library, RUNS)
    with peer.opened(), ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: peer.steps(EACH), range(workers)))
        peer.executed.clear()
        watch = Watch()
        sums = list(pool.map(lambda _: peer.steps(EACH), range(runs)))
        taken = watch.taken()
    expect(sums, [sum_of_steps(EACH)] * runs, "the sums of the runs")
    expect(len(peer.executed), runs * EACH, "steps executed")
    return _throughput(taken, runs)


def amany(peer: Peer, workers: int) -> dict[str, float]:
    """Measure a thousand runs of ten steps in one event loop, *workers* of them at once."""
    runs = FEWER.get(peer.subject.library, RUNS)

    async def measured() -> tuple[list[int], Taken]:
        limit = asyncio.Semaphore(workers)

        async def one() -> int:
            async with limit:
                return await peer.asteps(EACH)

        async with peer.aopened():
            await asyncio.gather(*(one() for _ in range(workers)))
            peer.executed.clear()
            watch = Watch()
            sums = await asyncio.gather(*(one() for _ in range(runs)))
            return sums, watch.taken()

    sums, taken = asyncio.run(measured())
    expect(sums, [sum_of_steps(EACH)] * runs, "the sums of the runs")
    expect(len(peer.executed), runs * EACH, "steps executed")
    return _throughput(taken, runs)


def _throughput(taken: Taken, runs: int) -> dict[str, float]:
    done = runs * EACH
    return {"per_s": done / taken.wall, **taken.each(done)}
