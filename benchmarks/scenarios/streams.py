"""Parts that a step writes while it runs, as the consumer sees them."""

from __future__ import annotations

import statistics
import time

from ..fresh_process import calling_elsewhere
from ..peers.interface import Peer, new_thread
from .checks import expect
from .timers import Watch

PAUSE = 0.005
"""Seconds between two parts where latency is measured."""


def throughput(peer: Peer, count: int) -> dict[str, float]:
    """Measure *count* parts written as fast as they can be: parts in a second."""
    with peer.opened():
        list(peer.stream(10, 0))
        watch = Watch()
        written = list(peer.stream(count, 0))
        taken = watch.taken()
    expect(len(written), count, "parts received")
    expect(written, sorted(written), "the order of the parts")
    return {"per_s": count / taken.wall, **taken.each(count)}


def latency(peer: Peer, count: int) -> dict[str, float]:
    """Measure how long parts written every five milliseconds take to the consumer."""
    with peer.opened():
        list(peer.stream(10, 0))
        late = [(time.perf_counter() - written) * 1e6 for written in peer.stream(count, PAUSE)]
    expect(len(late), count, "parts received")
    ordered = sorted(late)
    return {"us": statistics.median(late), "p99_us": ordered[int(count * 0.99)]}


def across(peer: Peer, count: int) -> dict[str, float]:
    """Measure how long the news of a step takes from the process that did it to another."""
    thread = new_thread()
    late: list[float] = []
    with peer.opened(), calling_elsewhere(peer, "tell", thread, count, PAUSE):
        late += ((time.perf_counter() - told) * 1e3 for told in peer.hear(thread))
    expect(len(late), count, "steps heard of")
    ordered = sorted(late)
    return {"ms": statistics.median(late), "p99_ms": ordered[int(count * 0.99)]}
