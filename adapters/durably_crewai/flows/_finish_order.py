"""The order in which a flow's methods are finished: that in which their code came to its end."""

from __future__ import annotations

import asyncio


class Ends:
    """Methods whose code is over and that are being recorded.

    Recording takes one method longer than another, while something else is in the middle of
    changing the flow's state; CrewAI shall see none of that.
    """

    def __init__(self) -> None:
        self._over: dict[object, asyncio.Event] = {}

    def come(self, method: object) -> None:
        """Take note that a method's code is over."""
        self._over[method] = asyncio.Event()

    async def turn(self, method: object) -> None:
        """Wait until those are finished whose code was over before; none for one that came back."""
        over = list(self._over)
        for one in over[: over.index(method)] if method in self._over else ():
            if one in self._over:
                await self._over[one].wait()

    def leave(self, method: object) -> None:
        """Take note that a method is finished, or never will be."""
        is_finished = self._over.pop(method, None)
        if is_finished is not None:
            is_finished.set()
