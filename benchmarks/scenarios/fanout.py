"""Many steps at once, each of which only waits."""

from __future__ import annotations

import asyncio

from ..peers.interface import Peer
from .checks import expect
from .timers import Taken, Watch

SLEEP = 0.01
"""Seconds that each step sleeps."""


def fanout(peer: Peer, count: int) -> dict[str, float]:
    """Measure *count* sleeping steps of plain functions: milliseconds until all are collected."""
    with peer.opened():
        peer.fanout(5, SLEEP)
        peer.executed.clear()
        watch = Watch()
        found = peer.fanout(count, SLEEP)
        taken = watch.taken()
    return _checked(peer, found, count, taken)


def afanout(peer: Peer, count: int) -> dict[str, float]:
    """Measure *count* sleeping steps of coroutines: milliseconds until all are collected."""

    async def measured() -> tuple[list[int], Taken]:
        async with peer.aopened():
            await peer.afanout(5, SLEEP)
            peer.executed.clear()
            watch = Watch()
            found = await peer.afanout(count, SLEEP)
            return found, watch.taken()

    found, taken = asyncio.run(measured())
    return _checked(peer, found, count, taken)


def _checked(peer: Peer, found: list[int], count: int, taken: Taken) -> dict[str, float]:
    expect(found, list(range(count)), "what the steps returned")
    expect(sorted(peer.executed), list(range(count)), "steps executed")
    return taken.in_ms()
