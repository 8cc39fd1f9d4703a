"""Streams of wrapped objects: which modes there are, and how parts are handed over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any, TypeAlias

from ...engine import Outcome, Sink
from ...journal import Journal
from ...types import Interrupt
from .follow import Following, joinable
from .pipe import apipe, pipe

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


def joined(mode: Modes, following: Following[Part]) -> Iterator[Any]:
    """Yield the parts of a run that somebody else drives, as their consumer wants them."""
    for part in following.parts():
        yield _shaped(mode, part)


async def ajoined(mode: Modes, following: Following[Part]) -> AsyncIterator[Any]:
    """Like :func:`joined`, without holding up the event loop."""
    async with aclosing(following.aparts()) as parts:
        async for part in parts:
            yield _shaped(mode, part)


def following(mode: Modes, journal: Journal, thread: str, timeout: float | None) -> Following[Part]:
    """Return the parts of a thread's newest run, whoever drives it.

    Raises:
        ValueError: There is no such mode, or the journal does not tell of it.
    """
    modes = joinable(_chosen(mode))
    return Following(journal, thread, lambda emit: _Heard(modes, emit), timeout)


class _Heard:
    """Makes stream parts of what a journal tells."""

    def __init__(self, modes: frozenset[str], emit: Callable[[Part], None]) -> None:
        self._modes = modes
        self._emit = emit

    def began(self, run: str, given: Any) -> None:
        pass

    def take(self, mode: str, lanes: tuple[str, ...], data: Any) -> None:
        if mode in self._modes:
            self._emit((mode, lanes, data))

    def waits(self, interrupts: tuple[Interrupt, ...]) -> None:
        _finish(self._modes, Outcome("waiting", interrupts=interrupts), self._emit)

    def done(self, value: Any) -> None:
        _finish(self._modes, Outcome("done", value), self._emit)

    def failed(self, error: BaseException) -> None:
        pass


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
