"""A journal that stops a run after its n-th step: what a kill does, without a new process."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence

from ..errors import StorageError
from ..journal import Lease, MemoryStorage, Row, Storage
from ..journal.records import STEP_FAILED, STEP_OK

_OUTCOMES = (STEP_OK, STEP_FAILED)


class StoppingStorage:
    """A storage in which a run gets no further than its n-th step, which is written.

    The append that holds the step's outcome is done, and reported as failed; so the run ends
    there, and no later step begins. What differs from a kill (:func:`kill_at`) is that the
    program's own cleaning up still happens, and that the next run starts in milliseconds.

    Args:
        inner: The real storage; one in memory by default.

    Example:
        >>> storage = StoppingStorage()
        >>> storage.stop_after(1)
        >>> host = Host(storage)  # doctest: +SKIP
    """

    def __init__(self, inner: Storage | None = None) -> None:
        self._inner = MemoryStorage() if inner is None else inner
        self._left: int | None = None
        self._lock = threading.Lock()

    @property
    def stopped(self) -> bool:
        """Whether a run was stopped since :meth:`stop_after` was called."""
        return self._left is not None and self._left <= 0

    def stop_after(self, steps: int | None) -> None:
        """Stop the next run after so many steps; None: let runs go to their end."""
        self._left = steps

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append, and fail once the last step that may be written is written.

        Raises:
            StorageError: The run is to stop here.
        """
        with self._lock:
            if self.stopped:
                raise StorageError("the test stopped this run at an earlier step")
            self._inner.append(lease, rows, blobs, barrier=barrier)
            if self._left is not None:
                self._left -= sum(row.kind in _OUTCOMES for row in rows)
            if self.stopped:
                raise StorageError("the test stopped this run here")

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
