"""Several listeners to one run's parts: its own stream, and those of nested entrypoints."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ...engine import Run, Sink


class _Taps:
    """A sink that hands every part on."""

    def __init__(self, first: Sink | None) -> None:
        self.sinks = [first] if first is not None else []

    def __call__(self, mode: str, namespace: tuple[str, ...], data: Any) -> None:
        for sink in tuple(self.sinks):
            sink(mode, namespace, data)


@contextmanager
def tapped(run: Run, sink: Sink) -> Generator[None]:
    """Hand the run's parts to *sink* too while the block runs."""
    with run.lock:
        taps = run.sink if isinstance(run.sink, _Taps) else _Taps(run.sink)
        taps.sinks.append(sink)
        run.sink = taps
    try:
        yield
    finally:
        with run.lock:
            taps.sinks.remove(sink)
