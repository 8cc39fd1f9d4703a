"""Iterators inside a scope, and steps whose value arrives in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import Suspended
from ..call import Call
from ..gates import Awaiting, Blocking
from .execution import performed_pieces, stepwise

if TYPE_CHECKING:
    from ..scope import Scope

T = TypeVar("T")


def each(scope: Scope, source: Iterator[T]) -> Iterator[T]:
    """Yield from *source*, which runs inside *scope* while its consumer does not."""
    try:
        while True:
            with scope.entered():
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            with scope.entered():
                close()


async def iterate(scope: Scope, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Like :func:`each`, for asynchronous iterators."""
    try:
        while True:
            with scope.entered():
                try:
                    item = await anext(source)
                except StopAsyncIteration:
                    return
            yield item
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            with scope.entered():
                await close()


def stream(scope: Scope, call: Call, source: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Yield what :meth:`Scope.stream` yields."""
    step = scope.open(call)
    if step.held is not None:
        pieces = step.replay(in_pieces=True)
        yield from pieces[:-1]
        scope.run.tick(step.held.step)
        yield from pieces[-1:]
        return
    yield from stepwise(performed_pieces(scope, step, Blocking(scope.run.clock), source))


async def astream(
    scope: Scope, call: Call, source: Callable[[], AsyncIterator[Any]]
) -> AsyncGenerator[Any, None]:
    """Yield what :meth:`Scope.astream` yields."""
    try:
        step = scope.open(call)
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
        if not scope.targets:
            raise
        await scope.park()
