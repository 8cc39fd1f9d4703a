"""A storage that fails at a chosen append."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from durably import StorageError
from durably.journal import Lease, Row, Storage
from durably.testing.forwarding_storage import PassingStorage


class FailingStorage(PassingStorage):
    """Passes everything on to *inner*, and fails from its *at*-th append on."""

    def __init__(self, inner: Storage, at: int) -> None:
        super().__init__(inner)
        self._left = at

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        self._left -= 1
        if self._left <= 0:
            raise StorageError("the disk is full")
        self._inner.append(lease, rows, blobs, barrier=barrier)
