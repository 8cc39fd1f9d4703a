"""A run that is cancelled at any round of the event loop ends, and can be continued."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durably import MemoryStorage, entrypoint, task

from .driver import play
from .interruptions import CountingLoop, cancelled_each_round, cancelled_once

SEEDS, PART, POSTGRES_SEEDS = 300, 25, 40
"""``python -m tests.cancellation`` plays 10,000."""


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_cancelled_runs_end_and_go_on(tmp_path: Path, first: int):
    """Random programs, cancelled at random rounds in random ways, come to their right results."""
    for seed in range(first, first + PART):
        play(seed, tmp_path)


@pytest.mark.parametrize("seed", range(POSTGRES_SEEDS))
def test_cancelled_runs_in_postgresql_end_and_go_on(
    empty_postgres_url: str, tmp_path: Path, seed: int
):
    """The same, where each commit is a round trip that others run beside."""
    play(seed, tmp_path, empty_postgres_url)


@pytest.mark.parametrize("way", [cancelled_once, cancelled_each_round])
@pytest.mark.parametrize("rounds", range(12))
def test_thread_under_way_is_recorded(way, rounds: int):
    """What a thread has begun is ended and recorded before a cancelled call ends."""
    done: list[int] = []

    @task
    def effect(number: int) -> int:
        done.append(number)
        return number

    @entrypoint(checkpointer=MemoryStorage())
    async def flow(count: int) -> list[int]:
        return list(await asyncio.gather(*(effect(number) for number in range(count))))

    config = {"configurable": {"thread_id": "t"}}

    async def cancelled() -> list[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        await way(loop, lambda: flow.ainvoke(3, config), rounds)
        begun = flow.get_state(config).created_at is not None
        return await flow.ainvoke(None if begun else 3, config)

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        assert runner.run(cancelled()) == [0, 1, 2]
    assert sorted(done) == [0, 1, 2]


@pytest.mark.parametrize("seed", [316, 381, 542, 572, 627])
def test_cancelled_runs_that_ask_leave_nothing(tmp_path: Path, seed: int):
    """A question asked in the round of the cancellation waits, and the event loop is silent."""
    play(seed, tmp_path)
