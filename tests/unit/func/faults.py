"""A storage that fails at a chosen append."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from durably import StorageError
from durably.journal import Lease, Row, Storage


class FailingStorage:
    """Passes everything on to *inner*, and fails from its *at*-th append on."""

    def __init__(self, inner: Storage, at: int) -> None:
        self._inner = inner
        self._left = at

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        self._left -= 1
        if self._left <= 0:
            raise StorageError("the disk is full")
        self._inner.append(lease, rows, blobs, barrier=barrier)

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        return self._inner.acquire(thread, owner, ttl, now)

    def renew(self, lease: Lease, until: float) -> None:
        self._inner.renew(lease, until)

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        return self._inner.read(thread, after)

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        return self._inner.marks(thread, before, limit)

    def landmarks(self) -> Iterator[tuple[str, Row]]:
        return self._inner.landmarks()

    def fetch(self, thread: str, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        return self._inner.fetch(thread, hashes)

    def delete(self, thread: str, now: float) -> None:
        self._inner.delete(thread, now)

    def close(self) -> None:
        self._inner.close()
