"""What a seam costs where no run is under way: a framework's method, called as ever."""

from __future__ import annotations

import time
from typing import Any

from ..place import Place
from ..subjects import Subject
from .checks import expect


class Framework:
    """Stands for a framework: its method is a seam of an adapter."""

    def call(self, value: int) -> int:
        """Add one."""
        return value + 1


def idle_seam(subject: Subject, place: Place, calls: int) -> dict[str, float]:
    """Measure calls of a method outside of runs, with a seam in it and without: nanoseconds."""
    del subject, place
    from durably.adapting import Adapter, Seam, activate, uninstall

    def around(_scope: Any, original: Any, framework: Framework, value: int) -> Any:
        return original(framework, value)

    class FrameworkAdapter(Adapter):
        name = "framework"
        distribution = "durably"
        seams = (Seam(f"{__name__}:Framework.call", "model", around, "nothing"),)

    alone = _fastest(calls)
    plain = Framework.call
    adapter = FrameworkAdapter()
    activate([adapter])
    try:
        expect(Framework.call is plain, expected=False, what="whether the seam is missing")
        caught = _fastest(calls)
    finally:
        uninstall(adapter)
    return {"ns": (caught - alone) / calls * 1e9, "plain_ns": alone / calls * 1e9}


def _fastest(calls: int) -> float:
    return min(_timed(calls) for _ in range(5))


def _timed(calls: int) -> float:
    call = Framework().call
    total, began = 0, time.perf_counter()
    for number in range(calls):
        total += call(number)
    seconds = time.perf_counter() - began
    expect(total, calls * (calls + 1) // 2, "what the calls added up to")
    return seconds
