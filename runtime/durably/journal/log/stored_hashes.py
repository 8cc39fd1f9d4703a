"""Which blobs a thread holds, as far as this process has written them.

A chat's history is written with each turn, and nearly all of it is stored already. What this
process wrote to a thread is there still if nobody else has had the thread since: then the lease is
the next one, and the thread ends with the row that this process wrote last.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..storage import LANDMARK, Lease, Row, Storage

_THREADS = 64
_HASHES = 1 << 16


@dataclass(slots=True)
class Known:
    """The blobs of one thread.

    Attributes:
        epoch: The lease under which they were written.
        head: The thread's last row then.
        last: The thread's last landmark then.
        hashes: Their hashes.
    """

    epoch: int = 0
    head: int = 0
    last: Row | None = None
    hashes: set[bytes] = field(default_factory=set[bytes])

    def unknown(self, blobs: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
        """Return those of *blobs* that have to be written."""
        if self.hashes.isdisjoint(blobs):
            return blobs
        return {key: data for key, data in blobs.items() if key not in self.hashes}

    def add(self, rows: Sequence[Row], blobs: Mapping[bytes, bytes]) -> None:
        """Take note of what was written."""
        for row in rows:
            if row.kind < LANDMARK:
                self.last = row
        if len(self.hashes) > _HASHES:
            self.hashes.clear()
        self.hashes.update(blobs)


class KnownBlobs:
    """The blobs of the threads that this process wrote to last."""

    def __init__(self) -> None:
        self._threads: OrderedDict[str, Known] = OrderedDict()

    def of(self, storage: Storage, lease: Lease) -> Known:
        """Return what is known of a thread that was just taken."""
        known = self._threads.pop(lease.thread, None)
        if known is None or (known.epoch + 1, known.head) != (lease.epoch, lease.head):
            return Known()
        # A thread that was deleted and written anew may come to the same numbers.
        return known if known.last in storage.marks(lease.thread, 0, 1) else Known()

    def keep(self, lease: Lease, known: Known, head: int) -> None:
        """Remember what was written under a lease that is given back now."""
        known.epoch, known.head = lease.epoch, head
        self._threads[lease.thread] = known
        while len(self._threads) > _THREADS:
            self._threads.popitem(last=False)
