"""Ways in which a call is cancelled, and an event loop that counts its rounds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

PATIENCE = 10.0
"""Seconds after which a cancelled call counts as hanging."""


class CountingLoop(asyncio.SelectorEventLoop):
    """Does something at the beginning of a given round."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._act: Callable[[], None] | None = None

    def in_rounds(self, rounds: int, act: Callable[[], None]) -> None:
        """Call *act* after as many rounds; what was to be called before is forgotten."""
        self._left, self._act = rounds, act

    def _run_once(self) -> None:
        if self._act is not None:
            self._left -= 1
            if self._left < 0:
                act, self._act = self._act, None
                act()
        super()._run_once()  # type: ignore[misc]


Call = Callable[[], Coroutine[Any, Any, Any]]


def _nothing() -> None:
    """Do nothing."""


async def cancelled_once(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Cancel the task of a call."""
    made = loop.create_task(call())
    loop.in_rounds(rounds, made.cancel)
    return await _ended(made)


async def cancelled_twice(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Cancel it, and again a few rounds later, as somebody who is impatient does."""
    made = loop.create_task(call())

    def act() -> None:
        made.cancel()
        loop.in_rounds(rounds % 4, made.cancel)

    loop.in_rounds(rounds, act)
    return await _ended(made)


async def cancelled_each_round(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Cancel it in each round until it ends, as anyio's cancel scopes do."""
    made = loop.create_task(call())

    def act() -> None:
        if not made.done():
            made.cancel()
            loop.in_rounds(0, act)

    loop.in_rounds(rounds, act)
    return await _ended(made)


async def timed_out(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Let ``asyncio.timeout`` cancel it."""

    async def limited() -> Any:
        async with asyncio.timeout(None) as limit:
            loop.in_rounds(rounds, lambda: limit.reschedule(loop.time()))
            result = await call()
            loop.in_rounds(0, _nothing)
            return result

    return await _ended(loop.create_task(limited()), TimeoutError)


async def waited_for(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Let ``asyncio.wait_for`` be cancelled around it."""

    async def waiting() -> Any:
        return await asyncio.wait_for(call(), PATIENCE * 2)

    made = loop.create_task(waiting())
    loop.in_rounds(rounds, made.cancel)
    return await _ended(made)


async def gathered(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Cancel a ``gather`` that it is a part of; the gather itself does not wait for its parts."""
    part = loop.create_task(call())

    async def both() -> Any:
        return (await asyncio.gather(part, asyncio.sleep(0)))[0]

    made = loop.create_task(both())
    loop.in_rounds(rounds, made.cancel)
    result = await _ended(made)
    await asyncio.wait({part}, timeout=PATIENCE)
    return result


async def left_by_its_group(loop: CountingLoop, call: Call, rounds: int) -> Any:
    """Let a sibling in a ``TaskGroup`` fail."""
    fails = loop.create_future()

    async def group() -> Any:
        async with asyncio.TaskGroup() as siblings:
            made = siblings.create_task(call())
            made.add_done_callback(lambda _: fails.cancel())
            siblings.create_task(_sibling(fails))
        return made.result()

    def act() -> None:
        if not fails.done():
            fails.set_exception(LookupError("the sibling failed"))

    loop.in_rounds(rounds, act)
    return await _ended(loop.create_task(group()), ExceptionGroup)


async def _sibling(fails: asyncio.Future[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await fails


WAYS = (
    cancelled_once,
    cancelled_twice,
    cancelled_each_round,
    timed_out,
    waited_for,
    gathered,
    left_by_its_group,
)

CANCELLED = object()
"""What a call that was cancelled came to."""


class Hangs(AssertionError):
    """A cancelled call has not ended."""


async def _ended(made: asyncio.Task[Any], *errors: type[BaseException]) -> Any:
    """Return what the call came to, or :data:`CANCELLED`."""
    done, _ = await asyncio.wait({made}, timeout=PATIENCE)
    if not done:
        raise Hangs(f"still under way: {made.get_stack()}")
    if made.cancelled():
        return CANCELLED
    error = made.exception()
    if error is not None and isinstance(error, errors):
        return CANCELLED
    if error is not None:
        raise error
    return made.result()
