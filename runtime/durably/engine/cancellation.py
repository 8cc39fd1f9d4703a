"""Waiting that outlasts a cancellation: what is under way is ended before the canceller goes on.

A cancelled call may be cancelled again while it cleans up: an anyio scope (Starlette, FastAPI) does
so in every round of the event loop until the call has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def wait_out(futures: Iterable[asyncio.Future[Any]]) -> asyncio.CancelledError | None:
    """Wait until all *futures* are done, however often the caller is cancelled meanwhile.

    Returns:
        The last of these cancellations, for the caller to raise.
    """
    cancelled = None
    left = set(futures)
    while left:
        try:
            _, left = await asyncio.wait(left)
        except asyncio.CancelledError as error:
            cancelled = error
            left = {one for one in left if not one.done()}
    return cancelled


async def carried_out(work: Coroutine[Any, Any, object]) -> None:
    """Do *work* to its end, however often the caller is cancelled meanwhile."""
    task = asyncio.get_running_loop().create_task(work)
    await wait_out({task})
    task.result()


def cancel_again() -> None:
    """Have the next ``await`` of the running task raise the cancellation that it has caught.

    ``cancelling()`` stays what it is, by which ``asyncio.timeout`` tells its own cancellation.
    """
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    task.uncancel()
