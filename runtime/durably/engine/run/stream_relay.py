"""Stream parts that another process may follow: recorded, a moment later and many at once."""

from __future__ import annotations

import contextlib
from typing import Any

from ...errors import EncodeError, Suspended
from .run import Run, Sink

RELAYED = frozenset({"custom", "messages"})
"""Modes whose parts no step's record tells."""


class Relay:
    """Hands a run's parts on to who streams it, and has some of them recorded.

    Parts ride on the run's next append, so they stand in front of the step that made them; where
    none comes for a moment, they are appended by themselves.

    Args:
        run: The run.
        sink: Who streams it where it is driven, if anybody does.
    """

    def __init__(self, run: Run, sink: Sink | None) -> None:
        self._run = run
        self._sink = sink

    def __call__(self, mode: str, namespace: tuple[str, ...], data: Any) -> None:
        """Take one part."""
        if self._sink is not None:
            self._sink(mode, namespace, data)
        run = self._run
        if mode not in RELAYED or run.log is None:
            return
        with contextlib.suppress(EncodeError):  # it stays with who listens here
            part = run.codec.encode([mode, [*namespace], data])
            with run.lock:
                run.parts.append(part)
            run.log.soon(id(self), self._write)

    def _write(self) -> None:
        run = self._run
        with contextlib.suppress(Suspended):  # the journal fails; the run's next step is told
            if run.parts and not run.over:
                run.append()


def relay(run: Run) -> None:
    """Let *run* record its stream parts, if its host records them for other processes."""
    if run.options.relays:
        run.sink = Relay(run, run.sink)
