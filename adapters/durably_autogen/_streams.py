"""Streams that are closed with the stream that passes them on; ``async for`` alone does not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def closing(source: AsyncIterator[Any]) -> AsyncGenerator[AsyncIterator[Any], None]:
    """Lend *source*, and close it at the end of the block if it can be closed."""
    try:
        yield source
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
