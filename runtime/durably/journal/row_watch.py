"""Waiting until a thread has more rows."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

from .storage import Storage

_LOOK_EVERY = 0.1


@runtime_checkable
class Waiting(Protocol):
    """What a storage may offer besides, whose medium can tell that rows have come."""

    def wait(self, thread: str, after: int, timeout: float) -> bool:
        """Wait until a thread has a row with ``seq > after``.

        Args:
            thread: The thread's id, which need not be known yet.
            after: A row number; 0 waits for any row.
            timeout: Seconds to wait at most.

        Returns:
            Whether there is such a row.
        """
        ...


def wait_for_rows(storage: Storage, thread: str, after: int, timeout: float) -> bool:
    """Do what :meth:`Waiting.wait` says, on any storage: one that cannot tell is looked at.

    Example:
        >>> from durably import MemoryStorage
        >>> wait_for_rows(MemoryStorage(), "t", 0, timeout=0.0)
        False
    """
    if isinstance(storage, Waiting):
        return storage.wait(thread, after, timeout)
    until = time.monotonic() + timeout
    while not storage.read(thread, after):
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _LOOK_EVERY))
    return True
