"""How many steps of one policy may be under way at the same time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..engine import GatedStep, Way, inside
from .turns import Turns


class ConcurrencyGate:
    """Lets so many attempts be under way at a time; the others wait in order.

    A step inside another that holds a place needs none of its own: it would wait for the step
    around it, which waits for it. Nor does plain code that is called on an event loop's thread:
    it would block the very steps that it waits for.

    Args:
        limit: How many.
    """

    def __init__(self, limit: int) -> None:
        self._turns = Turns(limit)
        self._inside: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def around(self, step: GatedStep, way: Way) -> AsyncGenerator[None]:
        """Hold a place during one attempt."""
        if not way.may_wait or self._is_within(step):
            yield
            return
        here = (step.run.id, step.inner)
        async with self._turns.taken(way):
            self._inside.add(here)
            try:
                yield
            finally:
                self._inside.discard(here)

    def _is_within(self, step: GatedStep) -> bool:
        lane = step.slot.lane
        return any(run == step.run.id and inside(lane, path) for run, path in [*self._inside])
