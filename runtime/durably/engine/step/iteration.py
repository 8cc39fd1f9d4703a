"""Iterators inside a scope: the source runs in the scope, the consumer does not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import TypeVar

from ..base_scope import BaseScope

T = TypeVar("T")


def each(scope: BaseScope, source: Iterator[T]) -> Iterator[T]:
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


async def iterate(scope: BaseScope, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
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
