"""Appends that somebody waits for: kept by their thread's log until whoever is next writes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from ..records import Record
from .group_commit import Append


class Owner(Protocol):
    """Whose records they are."""

    def side_records(self) -> Sequence[Record]:
        """Return what is to be written in front of the next append; each only once."""
        ...

    def take_in(self, first: int, records: Sequence[Record]) -> None:
        """Take note that *records* are in the journal, from row *first* on."""
        ...


class Pending:
    """One append; its rows are numbered when it is written.

    Args:
        run: The run whose records they are.
        records: What happened, in order.
        blobs: Content-addressed parts that the records refer to.
        barrier: Whether it must survive a power cut.
        owner: What has something to write in front of them, and is told when it is written.
        future: What a coroutine awaits; None where a thread waits.

    Attributes:
        first: The row of the first of *records*, once it is written.
        error: Why it was not written, if it was not.
    """

    __slots__ = ("barrier", "blobs", "error", "first", "future", "owner", "records", "run", "side")

    def __init__(
        self,
        run: str,
        records: Sequence[Record],
        blobs: Mapping[bytes, bytes],
        *,
        barrier: bool,
        owner: Owner | None,
        future: asyncio.Future[None] | None = None,
    ) -> None:
        self.run = run
        self.records = records
        self.side: Sequence[Record] = ()
        self.blobs = blobs
        self.barrier = barrier
        self.owner = owner
        self.future = future
        self.first = 0
        self.error: Exception | None = None

    def placed(self, first: int) -> Sequence[Record]:
        """Return the records to be written from row *first* on."""
        self.side = self.owner.side_records() if self.owner is not None else ()
        self.first = first + len(self.side)
        return (*self.side, *self.records)

    def settle(self, error: Exception | None) -> None:
        """Take note of what became of it."""
        self.error = error
        if error is None and self.owner is not None:
            self.owner.take_in(self.first - len(self.side), (*self.side, *self.records))


class Batch(NamedTuple):
    """What one thread's log has to write.

    Attributes:
        pending: Who waits for it, in the order of the journal.
        append: The rows.
    """

    pending: Sequence[Pending]
    append: Append


def settle(pending: Sequence[Pending], error: Exception | None) -> None:
    """Let those who wait go on, in the order of the journal.

    Args:
        pending: What was written.
        error: Why it was not, if it was not.
    """
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for one in pending:
        one.settle(error)
        if one.future is not None:
            loops.setdefault(one.future.get_loop(), []).append(one.future)
    here = asyncio._get_running_loop()
    for loop, waiting in loops.items():
        if loop is here:
            _resume(waiting, error)
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resume, waiting, error)


def _resume(waiting: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for future in waiting:
        if future.done():
            continue  # its coroutine was cancelled
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
