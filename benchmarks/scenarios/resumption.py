"""Runs taken up again after a failure or a question, by another process if the storage allows."""

from __future__ import annotations

import secrets
import time

from ..fresh_process import call_elsewhere, killed_elsewhere
from ..peers.interface import Peer, new_thread
from .checks import expect, sum_of_steps
from .timers import Watch

WARM = 20


def resume(peer: Peer, count: int) -> dict[str, float]:
    """Measure continuing a run that failed after *count* steps: none is executed again."""
    warm, thread = new_thread(), new_thread()
    with peer.opened():
        _begin(peer, "fail_after", warm, WARM)
        _begin(peer, "fail_after", thread, count)
        peer.go_on(warm, WARM)
        peer.executed.clear()
        watch = Watch()
        total = peer.go_on(thread, count)
        taken = watch.taken()
    expect(total, sum_of_steps(count), "the sum of the steps")
    expect(len(peer.executed), 0, "finished steps executed again")
    return {**taken.in_ms(), **taken.each(count)}


def interrupt(peer: Peer, count: int) -> dict[str, float]:
    """Measure answering a question asked after *count* steps, until the run has ended."""
    warm, thread = new_thread(), new_thread()
    with peer.opened():
        _begin(peer, "ask_after", warm, WARM)
        asked = _begin(peer, "ask_after", thread, count)
        peer.answer(warm, WARM, "yes")
        peer.executed.clear()
        watch = Watch()
        found = peer.answer(thread, count, "yes")
        taken = watch.taken()
    expect(found, (sum_of_steps(count), "yes"), "the sum of the steps and the answer")
    expect(len(peer.executed), 0, "finished steps executed again")
    return {**taken.in_ms(), "asked_ms": asked * 1e3}


def kill(peer: Peer, count: int) -> dict[str, float]:
    """Measure how many steps that had finished before a kill -9 are executed again."""
    thread, number = new_thread(), secrets.randbelow(count // 2) + count // 4
    with peer.opened():
        killed_elsewhere(peer, "die_in", thread, count, number)
        watch = Watch()
        total = peer.go_on(thread, count)
        taken = watch.taken()
    expect(total, sum_of_steps(count), "the sum of the steps")
    expect(set(range(number, count)) - {*peer.executed}, set(), "steps never executed")
    return {"again": len(peer.executed) - (count - number), **taken.in_ms()}


def _begin(peer: Peer, method: str, thread: str, count: int) -> float:
    """Have the first part of a run done, by another process if it can be; return its seconds."""
    if peer.subject.persists:
        return call_elsewhere(peer, method, thread, count)
    began = time.perf_counter()
    getattr(peer, method)(thread, count)
    return time.perf_counter() - began
