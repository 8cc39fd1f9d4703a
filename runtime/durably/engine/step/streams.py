"""Steps whose value arrives in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

from ...errors import Suspended
from ..base_scope import BaseScope
from ..blocking_or_async import Awaiting, Blocking
from ..call import Call
from .execution import performed_pieces, stepwise
from .parked_calls import park
from .step import Step


def stream(scope: BaseScope, call: Call, source: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Yield what :meth:`Scope.stream` yields."""
    step = Step(scope.run, scope.lane, call)
    if step.held is not None:
        pieces = step.replay(in_pieces=True)
        yield from pieces[:-1]
        scope.run.tick(step.held.step)
        yield from pieces[-1:]
        return
    yield from stepwise(performed_pieces(scope, step, Blocking(scope.run.clock), source))


async def astream(
    scope: BaseScope, call: Call, source: Callable[[], AsyncIterator[Any]]
) -> AsyncGenerator[Any, None]:
    """Yield what :meth:`Scope.astream` yields."""
    try:
        step = Step(scope.run, scope.lane, call)
        if step.held is not None:
            pieces = step.replay(in_pieces=True)
            for piece in pieces[:-1]:
                yield piece
            scope.run.tick(step.held.step)
            for piece in pieces[-1:]:
                yield piece
            return
        way = Awaiting(scope.run.clock)
        async with aclosing(performed_pieces(scope, step, way, source)) as executed:
            async for piece in executed:
                yield piece
    except Suspended:
        if not scope.parks:
            raise
        await park(scope)
