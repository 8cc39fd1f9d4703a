"""A journal that stops a run after its n-th step: what a kill does, without a new process."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from ..errors import StorageError
from ..journal import Lease, MemoryStorage, Row, Storage
from ..journal.records import STEP_FAILED, STEP_OK
from .forwarding_storage import PassingStorage

_OUTCOMES = (STEP_OK, STEP_FAILED)


class StoppingStorage(PassingStorage):
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
        super().__init__(MemoryStorage() if inner is None else inner)
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
