"""Keeps the leases of long runs alive, so that no other machine takes a thread from a live one."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from ...errors import DurablyError, LeaseLost
from ..storage import Lease, Storage

_log = logging.getLogger("durably")


class Keeper:
    """Renews the held leases from one daemon thread, started with the first lease that needs it.

    A run shorter than a third of the lease never wakes it.
    """

    def __init__(self, storage: Storage, clock: Callable[[], float], ttl: float) -> None:
        self._storage = storage
        self._clock = clock
        self._ttl = ttl
        self._held: set[Lease] = set()
        self._owed: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, lease: Lease) -> None:
        """Keep *lease* alive from now on."""
        with self._lock:
            self._held.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._keep, name="durably-leases", daemon=True
                )
                self._thread.start()

    @property
    def holds(self) -> int:
        """How many leases there are."""
        return len(self._held)

    def drop(self, lease: Lease) -> None:
        """Stop renewing *lease*."""
        with self._lock:
            self._held.discard(lease)

    def give_back(self, lease: Lease) -> None:
        """Give *lease* back, later if the storage cannot take it now.

        Raises:
            StorageError: The storage failed; the lease is given back when it works again.
        """
        self.drop(lease)
        try:
            self._storage.renew(lease, 0)
        except LeaseLost:
            pass  # it is somebody else's already
        except DurablyError:
            self._owed[lease.thread] = lease
            raise

    def settle(self, thread: str) -> None:
        """Give back what could not be given back before, so that *thread* can be taken again."""
        lease = self._owed.pop(thread, None)
        if lease is not None:
            with contextlib.suppress(DurablyError):  # whoever takes the thread is told
                self.give_back(lease)

    def close(self) -> None:
        """Stop renewing anything."""
        self._closed.set()

    def _keep(self) -> None:
        while not self._closed.wait(self._ttl / 3):
            with self._lock:
                held = list(self._held)
            for lease in held:
                self._renew(lease)
            for thread in list(self._owed):
                self.settle(thread)

    def _renew(self, lease: Lease) -> None:
        try:
            self._storage.renew(lease, self._clock() + self._ttl)
        except LeaseLost:
            self.drop(lease)  # the run is told at its next append, which is refused
        except DurablyError:
            _log.warning("the lease of thread %r could not be renewed", lease.thread, exc_info=True)
