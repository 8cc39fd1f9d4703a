"""Many steps at once, each of which only waits."""

from __future__ import annotations

import asyncio
import resource
import time

from ..peers.interface import Peer
from .checks import expect

SLEEP = 0.01
"""Seconds that each step sleeps."""


def fanout(peer: Peer, count: int) -> dict[str, float]:
    """Measure *count* sleeping steps of plain functions: milliseconds until all are collected."""
    with peer.opened():
        peer.fanout(5, SLEEP)
        peer.executed.clear()
        began, used = time.perf_counter(), _cpu()
        found = peer.fanout(count, SLEEP)
        seconds, cpu = time.perf_counter() - began, _cpu() - used
    return _checked(peer, found, count, seconds, cpu)


def afanout(peer: Peer, count: int) -> dict[str, float]:
    """Measure *count* sleeping steps of coroutines: milliseconds until all are collected."""

    async def measured() -> tuple[list[int], float, float]:
        async with peer.aopened():
            await peer.afanout(5, SLEEP)
            peer.executed.clear()
            began, used = time.perf_counter(), _cpu()
            found = await peer.afanout(count, SLEEP)
            return found, time.perf_counter() - began, _cpu() - used

    found, seconds, cpu = asyncio.run(measured())
    return _checked(peer, found, count, seconds, cpu)


def _checked(
    peer: Peer, found: list[int], count: int, seconds: float, cpu: float
) -> dict[str, float]:
    expect(found, list(range(count)), "what the steps returned")
    expect(sorted(peer.executed), list(range(count)), "steps executed")
    return {"ms": seconds * 1e3, "cpu_ms": cpu * 1e3}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
