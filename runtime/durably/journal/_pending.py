"""Appends that coroutines wait for: kept by their thread's log until somebody writes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from ._commit import Append
from .records import Record


class Owner(Protocol):
    """Whose records they are.

    Attributes:
        id: The run's id.
    """

    id: str

    def side_records(self) -> Sequence[Record]:
        """Return what is to be written in front of the next append; each only once."""
        ...

    def take_in(self, first: int, records: Sequence[Record]) -> None:
        """Take note that *records* are in the journal, from row *first* on."""
        ...


class Pending:
    """One append; its rows are numbered when it is written.

    Args:
        owner: Whose records they are.
        records: What happened, in order.
        blobs: Content-addressed parts that the records refer to.
        barrier: Whether it must survive a power cut.

    Attributes:
        first: The row of the first of *records*, once it is written.
    """

    __slots__ = ("barrier", "blobs", "first", "future", "owner", "records", "side")

    def __init__(
        self,
        owner: Owner,
        records: Sequence[Record],
        blobs: Mapping[bytes, bytes],
        *,
        barrier: bool,
    ) -> None:
        self.owner = owner
        self.records = records
        self.side: Sequence[Record] = ()
        self.blobs = blobs
        self.barrier = barrier
        self.first = 0
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()


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
    loops: dict[asyncio.AbstractEventLoop, list[Pending]] = {}
    for one in pending:
        if error is None:
            one.owner.take_in(one.first - len(one.side), (*one.side, *one.records))
        loops.setdefault(one.future.get_loop(), []).append(one)
    here = asyncio._get_running_loop()
    for loop, waiting in loops.items():
        if loop is here:
            _resume(waiting, error)
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resume, waiting, error)


def _resume(pending: Sequence[Pending], error: Exception | None) -> None:
    for one in pending:
        if one.future.done():
            continue  # its coroutine was cancelled
        if error is None:
            one.future.set_result(None)
        else:
            one.future.set_exception(error)
