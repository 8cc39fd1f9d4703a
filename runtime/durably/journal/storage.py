"""What a storage must do: nine methods over rows of bytes.

A storage keeps, for each thread, an append-only list of rows numbered 1, 2, 3 … without gaps, and
a pool of content-addressed blobs that is the thread's own, so that deleting a thread leaves nothing
of it behind. It knows nothing of steps or runs. Writing to a thread needs a
lease; a lease carries an *epoch* that grows by one each time the thread changes hands, and rows
appended under an older epoch are refused (the fencing token of M. Kleppmann, "How to do
distributed locking", 2016). A plug-in adds a storage with the ``open_storage`` hook and proves it
with the suite in ``tests/contract``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

LANDMARK = 16
"""Rows of a kind below this one are found by :meth:`Storage.landmarks`, and by
:meth:`Storage.marks` in one thread, without reading the rows between them."""


class Row(NamedTuple):
    """One fact.

    Attributes:
        seq: Position in the thread, from 1, without gaps.
        kind: A small number; below :data:`LANDMARK` it marks the beginning, end or pause of a run.
        run: Id of the run the fact belongs to.
        body: The fact itself, opaque to the storage.
    """

    seq: int
    kind: int
    run: str
    body: bytes


class Lease(NamedTuple):
    """The right to append to one thread.

    Attributes:
        thread: The thread's id.
        owner: Who holds it: ``host:pid`` and what tells one process from a later one of that id.
        epoch: Grows by one each time the thread changes hands.
        head: The thread's last row number when the lease was taken.
    """

    thread: str
    owner: str
    epoch: int
    head: int


@runtime_checkable
class Storage(Protocol):
    """Threads of rows, and blobs. Methods may be called from any thread.

    Every method raises :class:`~durably.errors.StorageError` when the medium fails (full,
    read-only, locked for too long, gone), :class:`~durably.errors.JournalCorrupt` when what it
    reads is damaged, and leaves the stored state as it was before the call.
    """

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        """Take a thread, creating it if it is new.

        A lease is free when it was released, when it ran out (``now`` is past it), when its owner
        is this very ``owner``, or when the storage can tell that the owner's process is dead.

        Args:
            thread: The thread's id.
            owner: Who asks.
            ttl: Seconds until the lease runs out unless :meth:`renew` extends it. With 0 the call
                only asks: nothing is created, the thread does not change hands, and the lease that
                comes back (epoch 0 and head 0 for an unknown thread) cannot be appended under.
            now: Seconds since the epoch, by the caller's clock.

        Raises:
            ThreadBusy: Another owner holds it.
        """
        ...

    def renew(self, lease: Lease, until: float) -> None:
        """Extend a lease to *until* (seconds since the epoch); 0 gives it back.

        Raises:
            LeaseLost: The thread has changed hands. Giving back a lost lease is not an error.
        """
        ...

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append *rows* and *blobs*, all or nothing.

        When it returns, the rows survive the death of the process; with *barrier* they, and
        everything appended before them, survive a power cut too. A blob that is there already is
        left alone.

        Raises:
            LeaseLost: The thread has changed hands; nothing was written.
        """
        ...

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        """Return the thread's rows with ``seq > after`` in order; empty for an unknown thread."""
        ...

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        """Return the thread's last landmarks, newest first: what its latest run is about.

        Args:
            thread: The thread's id; an unknown one has none.
            before: Only rows with a smaller ``seq``; 0 for all.
            limit: At most so many.
        """
        ...

    def landmarks(self) -> Iterator[tuple[str, Row]]:
        """Yield ``(thread, row)`` for each row of a kind below LANDMARK, oldest append first."""
        ...

    def fetch(self, thread: str, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return those of the thread's blobs that are there among *hashes*."""
        ...

    def delete(self, thread: str, now: float) -> None:
        """Forget a thread: its rows, its blobs, its lease.

        Args:
            thread: The thread's id.
            now: Seconds since the epoch, by the caller's clock.

        Deleting an unknown thread does nothing.

        Raises:
            ThreadBusy: Somebody is driving it.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; the storage is not used again."""
        ...
