"""Streams hold a run up when their consumer does not keep pace, and let it go when it leaves."""

from __future__ import annotations

import asyncio

from durably import entrypoint, get_stream_writer, task
from durably.hosting.streams.pipe import BACKLOG

STEPS = 30
PARTS = BACKLOG // 10


def flows():
    """Return a flow of many steps that each write many parts, and how far it has come."""
    done: list[int] = []

    @task
    async def work(number):
        write = get_stream_writer()
        for part in range(PARTS):
            write((number, part))
        done.append(number)

    @entrypoint()
    async def flow(_):
        for number in range(STEPS):
            await work(number)

    return flow, done


async def test_a_slow_consumer_holds_the_run_up():
    """The run is never further ahead than the backlog and one step; every part arrives in order."""
    flow, done = flows()
    seen = []
    async for part in flow.astream("go", stream_mode="custom"):
        seen.append(part)
        await asyncio.sleep(0)
        ahead = len(done) * PARTS - len(seen)
        assert ahead <= BACKLOG + PARTS
    assert seen == [(number, part) for number in range(STEPS) for part in range(PARTS)]


async def test_a_consumer_that_leaves_holds_nobody_up():
    """The run ends soon after its consumer has gone, with its backlog full."""
    flow, done = flows()
    stream = flow.astream("go", stream_mode="custom")
    await anext(stream)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(done) < STEPS
    await asyncio.wait_for(stream.aclose(), 10)
    assert len(done) <= STEPS
