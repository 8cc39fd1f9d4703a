"""Streams: a run in the background, its parts in the consumer's hands as they are made."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from ..engine import Outcome, Sink

Mode: TypeAlias = Literal["updates", "tasks", "custom", "messages", "values"]

MODES: tuple[Mode, ...] = ("updates", "tasks", "custom", "messages", "values")
_BACKLOG = 1024
"""Parts that may wait for a slow consumer before the run waits for it."""

Parts: TypeAlias = tuple[str, tuple[str, ...], Any]


def chosen(mode: str | Sequence[str]) -> frozenset[str]:
    """Return the modes asked for.

    Raises:
        ValueError: There is no such mode.
    """
    modes = frozenset([mode] if isinstance(mode, str) else mode)
    unknown = sorted(modes - set(MODES))
    if unknown:
        raise ValueError(f"unknown stream mode {unknown[0]!r}; there are {', '.join(MODES)}")
    return modes


def shaped(mode: str | Sequence[str], part: Parts) -> Any:
    """Return a part as its consumer wants it: bare for one mode, ``(mode, data)`` for a list."""
    return part[2] if isinstance(mode, str) else (part[0], part[2])


def final_parts(outcome: Outcome) -> Iterator[Parts]:
    """Yield what a stream ends with: the questions of a waiting run, the value of a done one."""
    if outcome.status == "waiting":
        asked = {"__interrupt__": outcome.interrupts}
        yield ("updates", (), asked)
        yield ("values", (), asked)
    elif outcome.status == "done":
        yield ("values", (), outcome.value)


def stream(mode: str | Sequence[str], execute: Callable[[Sink], Outcome]) -> Iterator[Any]:
    """Yield the parts of a run that *execute* drives in a thread of its own.

    A consumer that leaves early lets the run go on to its end unseen, and waits for it.
    """
    modes = chosen(mode)
    parts: queue.Queue[Parts | None] = queue.Queue(_BACKLOG)
    left = threading.Event()
    ended: list[Outcome | BaseException] = []

    def sink(name: str, namespace: tuple[str, ...], data: Any) -> None:
        if name in modes and not left.is_set():
            parts.put((name, namespace, data))

    def work() -> None:
        try:
            ended.append(execute(sink))
        except BaseException as error:
            ended.append(error)
        finally:
            parts.put(None)

    context = contextvars.copy_context()
    worker = threading.Thread(target=context.run, args=(work,), name="durably-stream", daemon=True)
    worker.start()
    try:
        while (part := parts.get()) is not None:
            yield shaped(mode, part)
    finally:
        left.set()
        while worker.is_alive():
            _drain(parts)
            worker.join(0.05)
    for part in final_parts(_outcome(ended[0])):
        if part[0] in modes:
            yield shaped(mode, part)


def _drain(parts: queue.Queue[Parts | None]) -> None:
    try:
        while True:
            parts.get_nowait()
    except queue.Empty:
        return


async def astream(
    mode: str | Sequence[str], execute: Callable[[Sink], Awaitable[Outcome]]
) -> AsyncIterator[Any]:
    """Like :func:`stream`, for a run in the consumer's own event loop.

    A consumer that leaves early cancels the run, which can be continued like one that crashed.
    """
    modes = chosen(mode)
    loop = asyncio.get_running_loop()
    parts: asyncio.Queue[Parts | None] = asyncio.Queue()

    def sink(name: str, namespace: tuple[str, ...], data: Any) -> None:
        if name in modes:
            loop.call_soon_threadsafe(parts.put_nowait, (name, namespace, data))

    async def work() -> Outcome:
        try:
            return await execute(sink)
        finally:
            loop.call_soon(parts.put_nowait, None)

    worker = asyncio.create_task(work())
    try:
        while (part := await parts.get()) is not None:
            yield shaped(mode, part)
        outcome = await worker
    finally:
        if not worker.done():
            worker.cancel()
            await asyncio.wait({worker})
    for part in final_parts(outcome):
        if part[0] in modes:
            yield shaped(mode, part)


def _outcome(ended: Outcome | BaseException) -> Outcome:
    if isinstance(ended, BaseException):
        raise ended
    return ended
