"""What is kept: large results, equal results, and conversations that grow."""

from __future__ import annotations

import random
import time

from ..peers.interface import Peer, new_thread
from .checks import expect
from .timers import Taken, Watch, medians

AT_MOST = 20_000_000
"""Bytes of results in one measurement, which bounds how many steps there are."""

WORDS = 2_000
ASKED, REPLIED = 500, 2_000
"""Letters of one message of the user and of the model."""

EDGE = 20
"""How many turns at each end of a conversation are compared."""


def payload(peer: Peer, size: int) -> dict[str, float]:
    """Measure steps that return *size* incompressible bytes each, all different."""
    count = max(2, min(20, AT_MOST // size))
    draw = random.Random(size)
    given = [draw.randbytes(size) for _ in range(count)]
    seconds, disk = _kept(peer, given)
    return {"ms": seconds / count * 1e3, "disk_ratio": disk / (size * count)}


def repeated(peer: Peer, size: int) -> dict[str, float]:
    """Measure ten steps that return one and the same *size* bytes."""
    seconds, disk = _kept(peer, [random.Random(size).randbytes(size)] * 10)
    return {"ms": seconds / 10 * 1e3, "disk_ratio": disk / size}


def _kept(peer: Peer, given: list[bytes]) -> tuple[float, int]:
    """Have each value returned by a step; return the seconds, and by how much the storage grew."""
    with peer.opened():
        peer.values([b"warm"])
    empty = peer.disk()
    with peer.opened():
        peer.values([b"warm"])
        peer.executed.clear()
        began = time.perf_counter()
        total = peer.values(given)
        seconds = time.perf_counter() - began
    expect(total, sum(map(len, given)), "bytes returned")
    expect(len(peer.executed), len(given), "steps executed")
    return seconds, peer.disk() - empty


def chat(peer: Peer, turns: int) -> dict[str, float]:
    """Measure a conversation of *turns* turns, each a run that is given all messages so far."""
    asked, replies = _script(turns)
    thread, taken = new_thread(), list[Taken]()
    with peer.opened():
        peer.say(new_thread(), "warm", str)
    empty = peer.disk()
    with peer.opened():
        peer.say(new_thread(), "warm", str)
        peer.executed.clear()
        for turn, text in enumerate(asked):
            watch = Watch()
            reply = peer.say(thread, text, lambda seen: replies[seen // 2])
            taken.append(watch.taken())
            expect(reply, replies[turn], f"the reply of turn {turn}")
    expect(peer.executed, list(range(1, 2 * turns, 2)), "messages that the model was given")
    written = sum(map(len, asked)) + sum(map(len, replies))
    edge = min(EDGE, turns // 2)
    typical, first, last = (medians(part) for part in (taken, taken[:edge], taken[-edge:]))
    disk = peer.disk() - empty
    return {
        **typical.in_ms(),
        "first_ms": first.wall * 1e3,
        "last_ms": last.wall * 1e3,
        "growth": last.wall / first.wall,
        "cpu_growth": last.cpu / first.cpu,
        "disk_mb": disk / 1e6,
        "disk_ratio": disk / written,
    }


def _script(turns: int) -> tuple[list[str], list[str]]:
    """Return what the user says and what the model replies: words drawn from a vocabulary."""
    draw = random.Random(turns)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(WORDS)]

    def text(length: int) -> str:
        return " ".join(draw.choices(words, k=length // 3))[:length]

    return [text(ASKED) for _ in range(turns)], [text(REPLIED) for _ in range(turns)]
