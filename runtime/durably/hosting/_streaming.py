"""Streams of wrapped objects: which modes there are, and how parts are handed over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any, TypeAlias

from ..engine import Outcome, Sink
from ._piping import apipe, pipe

MODES = ("updates", "tasks", "custom", "messages", "values")

Part: TypeAlias = tuple[str, tuple[str, ...], Any]
Modes: TypeAlias = str | Sequence[str]


def stream(mode: Modes, execute: Callable[[Sink], Outcome]) -> Iterator[Any]:
    """Yield the parts of a run that *execute* drives, as its consumer wants them.

    Raises:
        ValueError: There is no such mode.
    """
    modes = _chosen(mode)

    def run(emit: Callable[[Part], None]) -> Outcome:
        outcome = execute(_sink(modes, emit))
        _finish(modes, outcome, emit)
        return outcome

    with closing(pipe(run)) as parts:
        for part in parts:
            yield _shaped(mode, part)


async def astream(mode: Modes, execute: Callable[[Sink], Awaitable[Outcome]]) -> AsyncIterator[Any]:
    """Like :func:`stream`, in the running event loop."""
    modes = _chosen(mode)

    async def run(emit: Callable[[Part], None]) -> Outcome:
        outcome = await execute(_sink(modes, emit))
        _finish(modes, outcome, emit)
        return outcome

    async with aclosing(apipe(run)) as parts:
        async for part in parts:
            yield _shaped(mode, part)


def _chosen(mode: Modes) -> frozenset[str]:
    modes = frozenset([mode] if isinstance(mode, str) else mode)
    unknown = sorted(modes - set(MODES))
    if unknown:
        raise ValueError(f"unknown stream mode {unknown[0]!r}; there are {', '.join(MODES)}")
    return modes


def _sink(modes: frozenset[str], emit: Callable[[Part], None]) -> Sink:
    def sink(mode: str, lanes: tuple[str, ...], data: Any) -> None:
        if mode in modes:
            emit((mode, lanes, data))

    sink.hold = getattr(emit, "hold", None)  # type: ignore[attr-defined]
    return sink


def _finish(modes: frozenset[str], outcome: Outcome, emit: Callable[[Part], None]) -> None:
    """Emit what a stream ends with: the questions of a waiting run, the value of a done one."""
    last: list[Part] = []
    if outcome.status == "waiting":
        asked = {"__interrupt__": outcome.interrupts}
        last = [("updates", (), asked), ("values", (), asked)]
    elif outcome.status == "done":
        last = [("values", (), outcome.value)]
    for part in last:
        if part[0] in modes:
            emit(part)


def _shaped(mode: Modes, part: Part) -> Any:
    """Return a part bare for one mode, as ``(mode, data)`` for several."""
    return part[2] if isinstance(mode, str) else (part[0], part[2])
