"""A storage that passes everything on to another; a base for those that meddle with appends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ..journal import Lease, Row, Storage


class PassingStorage:
    """Passes everything on to *inner*."""

    def __init__(self, inner: Storage) -> None:
        self._inner = inner

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append to the inner storage."""
        self._inner.append(lease, rows, blobs, barrier=barrier)

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        """Take a thread of the inner storage."""
        return self._inner.acquire(thread, owner, ttl, now)

    def renew(self, lease: Lease, until: float) -> None:
        """Extend a lease of the inner storage."""
        self._inner.renew(lease, until)

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        """Return the inner storage's rows."""
        return self._inner.read(thread, after)

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        """Return a thread's last landmarks in the inner storage."""
        return self._inner.marks(thread, before, limit)

    def landmarks(self) -> Iterator[tuple[str, Row]]:
        """Yield the inner storage's landmarks."""
        return self._inner.landmarks()

    def fetch(self, thread: str, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return the inner storage's blobs."""
        return self._inner.fetch(thread, hashes)

    def delete(self, thread: str, now: float) -> None:
        """Delete a thread of the inner storage."""
        self._inner.delete(thread, now)

    def close(self) -> None:
        """Close the inner storage."""
        self._inner.close()
