"""Tasks that a body has begun: none of them outlives it, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from ...engine import Deadline
from ...errors import Suspended
from ...process_fork import tell_of_forks

_log = logging.getLogger("durably")

_FEW = 64


class Begun:
    """The futures of one body's tasks; forgets those that have ended as it goes.

    Args:
        name: The entrypoint's name, for the log.
    """

    __slots__ = ("__weakref__", "_futures", "_limit", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._futures: list[Any] = []
        self._limit = _FEW
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: the tasks are the parent's."""

    def after_fork(self, *, in_child: bool) -> None:
        """Wait in the child for none of them: their threads are not there."""
        if in_child:
            self._futures = []

    def add(self, future: Any) -> None:
        """Take one more in."""
        futures = self._futures
        if futures and futures[-1].done():  # most programs wait for one before they begin another
            futures[-1] = future
            return
        futures.append(future)
        if len(futures) >= self._limit:
            self._futures = self._left()
            self._limit = max(_FEW, 2 * len(self._futures))

    def _left(self) -> list[Any]:
        return [future for future in self._futures if not future.done()]

    @contextmanager
    def ended(self, deadline: Deadline | None) -> Generator[None]:
        """Leave the block when every task begun in it has ended.

        A block that failed or was suspended is left only then, too: what is under way is finished
        and recorded, and its questions are asked with the others. What a task raised that nobody
        asked for is logged.

        Args:
            deadline: What limits the block; nobody waits for what it has given up.
        """
        try:
            yield
        except BaseException as error:
            is_interrupted = not isinstance(error, Exception | Suspended)
            if deadline is None or not deadline.is_over:
                self._finish(cancelled=is_interrupted)
            else:
                for future in self._left():
                    future.cancel()
            raise
        while left := self._left():
            for future in left:
                self._report(future.exception())

    def _finish(self, *, cancelled: bool) -> None:
        while left := self._left():
            for future in left:
                if not (cancelled and future.cancel()):
                    future.exception()

    @asynccontextmanager
    async def ended_async(self, deadline: Deadline | None) -> AsyncGenerator[None]:
        """Like :meth:`ended`, for coroutines."""
        try:
            yield
        except BaseException as error:
            is_interrupted = not isinstance(error, Exception | Suspended)
            if deadline is None or not deadline.is_over:
                await self._afinish(cancelled=is_interrupted)
            raise
        while left := self._left():
            for outcome in await asyncio.gather(*left, return_exceptions=True):
                self._report(outcome)

    async def _afinish(self, *, cancelled: bool) -> None:
        while left := self._left():
            for future in left:
                if cancelled:
                    future.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _report(self, outcome: object) -> None:
        if isinstance(outcome, Exception):
            _log.warning(
                "a task of entrypoint %r failed and nobody asked for its result",
                self._name,
                exc_info=outcome,
            )
        elif isinstance(outcome, BaseException):
            raise outcome
