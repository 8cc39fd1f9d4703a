"""Blocking and asyncio implementations of sleep, wait and call, so that one coroutine serves both.

A coroutine that is handed :class:`Blocking` never suspends; plain code drives it to its end with
:func:`durably.caching.at_once`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from .clock import Clock
from .timeouts import Deadline, acall_within, call_within

T = TypeVar("T")


class Blocking:
    """The way of plain code: nothing here ever suspends."""

    may_suspend = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.may_wait = not _is_on_event_loop()

    async def sleep(self, seconds: float) -> None:
        """Block for *seconds*."""
        self._clock.sleep(seconds)

    async def wait(self, future: Future[T]) -> T:
        """Block until there is a result."""
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call *function* here."""
        return function(*args)

    async def execute(self, function: Callable[[], Any], deadline: Deadline | None) -> Any:
        """Call *function*, no longer than its deadline allows."""
        return function() if deadline is None else call_within(deadline, function)

    def pieces(
        self, source: Iterator[Any], deadline: Deadline | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Yield what *source* yields, each piece no later than the deadline allows."""
        return _Closing(_blocking_pieces(source, deadline), source, deadline)


class Awaiting:
    """The way of coroutines."""

    may_wait = may_suspend = True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        """Suspend for *seconds*."""
        await self._clock.asleep(seconds)

    async def wait(self, future: Future[T]) -> T:
        """Suspend until there is a result."""
        return future.result() if future.done() else await asyncio.wrap_future(future)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call *function* in a thread."""
        return await asyncio.to_thread(function, *args)

    async def execute(
        self, function: Callable[[], Awaitable[Any]], deadline: Deadline | None
    ) -> Any:
        """Await *function*'s result, no longer than its deadline allows."""
        return await (function() if deadline is None else acall_within(deadline, function))

    def pieces(
        self, source: AsyncIterator[Any], deadline: Deadline | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Yield what *source* yields, each piece no later than the deadline allows."""
        return _Closing(_awaited_pieces(source, deadline), source, None)


class _Closing:
    """Lends pieces, and closes what they came from, whichever kind of iterator it is."""

    def __init__(
        self, pieces: AsyncGenerator[Any, None], source: Any, deadline: Deadline | None
    ) -> None:
        self._pieces = pieces
        self._source = source
        self._deadline = deadline

    async def __aenter__(self) -> AsyncIterator[Any]:
        return self._pieces

    async def __aexit__(self, *_: object) -> None:
        await self._pieces.aclose()
        if self._deadline is not None and self._deadline.is_over:
            return  # a thread that was given up is still in it
        aclose, close = (getattr(self._source, name, None) for name in ("aclose", "close"))
        if aclose is not None:
            await aclose()
        elif close is not None:
            close()


_END = object()


async def _blocking_pieces(
    source: Iterator[Any], deadline: Deadline | None
) -> AsyncGenerator[Any, None]:
    def following() -> Any:
        return next(source, _END)

    while True:
        piece = following() if deadline is None else call_within(deadline, following)
        if piece is _END:
            return
        yield piece


async def _awaited_pieces(
    source: AsyncIterator[Any], deadline: Deadline | None
) -> AsyncGenerator[Any, None]:
    async def following() -> Any:
        return await anext(source, _END)

    while True:
        piece = await (following() if deadline is None else acall_within(deadline, following))
        if piece is _END:
            return
        yield piece


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
