"""Carries parts from a run that is under way to whoever iterates over them, as they are made."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeVar

from ...engine import Outcome, wait_out
from ..invoke_result import delivered

P = TypeVar("P")

BACKLOG = 1024
"""Parts that may wait for a slow consumer before the run waits for it."""

_LOOK_EVERY = 0.05


def pipe(execute: Callable[[Callable[[P], None]], Outcome]) -> Generator[P]:
    """Yield what *execute* emits; it drives a run in a thread of its own.

    A slow consumer holds the run up once :data:`BACKLOG` parts wait. A consumer that leaves early
    lets the run go on to its end unseen, and waits for it.

    Raises:
        Exception: What ended the run, after its last part.
    """
    parts = _Parts()
    end = object()
    ended: list[Outcome | BaseException] = []

    def emit(part: P) -> None:
        parts.put(part)

    def work() -> None:
        try:
            ended.append(execute(emit))
        except BaseException as error:
            ended.append(error)
        finally:
            parts.put(end)

    context = contextvars.copy_context()
    worker = threading.Thread(target=context.run, args=(work,), name="durably-stream", daemon=True)
    worker.start()
    try:
        while (part := parts.get()) is not end:
            yield part
    finally:
        parts.leave()
        worker.join()
    _raise_failure(ended[0])


class _Parts:
    """Parts on their way from any thread to the one that consumes them.

    Where there are too many, the threads that write wait until half of them are taken: two threads
    that take turns for each part spend their time on taking turns.
    """

    def __init__(self) -> None:
        self._parts: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._room = threading.Event()
        self._is_full = False
        self._has_left = False

    def put(self, part: Any) -> None:
        """Add a part; wait while there are too many."""
        if self._parts.qsize() >= BACKLOG:
            self._wait_for_room()
        self._parts.put(part)

    def _wait_for_room(self) -> None:
        while self._parts.qsize() > BACKLOG // 2 and not self._has_left:
            self._room.clear()
            self._is_full = True
            self._room.wait(_LOOK_EVERY)  # the consumer may have looked just before

    def get(self) -> Any:
        """Return the next part, waiting for it."""
        part = self._parts.get()
        if self._is_full and self._parts.qsize() <= BACKLOG // 2:
            self._is_full = False
            self._room.set()
        return part

    def leave(self) -> None:
        """Hold nobody up any more: the consumer is gone."""
        self._has_left = True
        self._room.set()


class AsyncEmit:
    """Takes the parts of a run for a consumer in the same event loop.

    A coroutine cannot be held up where it writes a part; it is before its next step, by
    :meth:`hold`. A thread is held up where it writes.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._parts: deque[Any] = deque()
        self._come: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._left = threading.Event()

    def __call__(self, part: Any) -> None:
        """Take one part."""
        if threading.get_ident() == self._thread:
            self._put(part)
            return
        while len(self._parts) >= BACKLOG and not self._left.wait(_LOOK_EVERY):
            pass
        self._loop.call_soon_threadsafe(self._put, part)

    def _put(self, part: Any) -> None:
        self._parts.append(part)
        if self._come is not None and not self._come.done():
            self._come.set_result(None)

    async def hold(self) -> None:
        """Wait while :data:`BACKLOG` parts or more have not been taken."""
        while len(self._parts) >= BACKLOG and not self._left.is_set():
            self._room.clear()
            await self._room.wait()

    async def next(self) -> Any:
        """Return the next part for the consumer."""
        while not self._parts:
            self._come = self._loop.create_future()
            await self._come
        if len(self._parts) <= BACKLOG and not self._room.is_set():
            self._room.set()
        return self._parts.popleft()

    def finish(self, end: object) -> None:
        """Put *end* behind what threads have handed over."""
        self._loop.call_soon(self._put, end)

    def leave(self) -> None:
        """Hold nobody up any more: the consumer is gone."""
        self._left.set()
        self._room.set()


async def apipe(execute: Callable[[Callable[[P], None]], Awaitable[Outcome]]) -> AsyncGenerator[P]:
    """Like :func:`pipe`, for a run in the consumer's own event loop; *execute* gets an AsyncEmit.

    A consumer that leaves early cancels the run, which can be continued like one that crashed. A
    generator that passes these parts on closes this one (``contextlib.aclosing``): nothing does it
    by itself.
    """
    emit = AsyncEmit()
    end = object()

    async def work() -> Outcome:
        try:
            return await execute(emit)
        finally:
            emit.finish(end)

    worker = asyncio.create_task(work())
    try:
        while (part := await emit.next()) is not end:
            yield part
        outcome = await worker
    finally:
        emit.leave()
        if not worker.done():
            worker.cancel()
            await wait_out({worker})
        if not worker.cancelled():
            worker.exception()  # whoever left early is not told
    _raise_failure(outcome)


def _raise_failure(ended: Outcome | BaseException) -> None:
    if isinstance(ended, BaseException):
        raise ended
    delivered(ended)
