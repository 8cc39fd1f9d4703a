"""The journal: typed records over a storage, and the threads that this process drives."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from ..process_fork import tell_of_forks
from .codec.codec import Codec
from .codec.compression import restored
from .entries import newest_landmarks, read_entries
from .leases.lease_renewer import Keeper
from .leases.process_identity import owner_id
from .log.append_cost import Sharing
from .log.async_committer import Committer
from .log.delayed_flush import Flusher
from .log.durability import Durability
from .log.stored_hashes import KnownBlobs
from .log.thread_log import ThreadLog
from .records import Entry, from_row
from .storage import Storage
from .worker_threads import Apart

LEASE_SECONDS = 30.0
"""How long a thread stays taken after the last sign of life of a process on another machine."""

T = TypeVar("T")

_suffixes = itertools.count(1)


class Journal:
    """Records over a storage.

    Args:
        storage: Where rows are kept.
        codec: How values become bytes.
        clock: Gives seconds since the epoch.
    """

    def __init__(
        self, storage: Storage, codec: Codec, clock: Callable[[], float] = time.time
    ) -> None:
        self.storage = storage
        self.codec = codec
        self.clock = clock
        self._begin()
        tell_of_forks(self)

    def _begin(self) -> None:
        """Begin with no thread held, none running and no lock taken."""
        self._keeper = Keeper(self.storage, self.clock, LEASE_SECONDS)
        self._known = KnownBlobs()
        self._flusher = Flusher()
        self._apart = Apart()
        self._committer = Committer(self.storage)

    def before_fork(self) -> None:
        """Do nothing: what is under way stays the parent's."""

    def after_fork(self, *, in_child: bool) -> None:
        """Hold nothing in the child: leases and runs are the parent's."""
        if in_child:
            self._begin()

    def take(self, thread: str, durability: Durability = "sync") -> ThreadLog:
        """Take *thread* for writing; what it holds is read when it is asked for.

        Args:
            thread: The thread's id.
            durability: When what is appended reaches the storage.

        Raises:
            ThreadBusy: Another run, here or in another process, is driving it.
        """
        owner = f"{owner_id()}#{next(_suffixes)}"
        self._keeper.settle(thread)
        lease = self.storage.acquire(thread, owner, LEASE_SECONDS, self.clock())
        self._keeper.hold(lease)
        return ThreadLog(
            self.storage,
            self.codec,
            lease,
            durability,
            keeper=self._keeper,
            known=self._known,
            flusher=self._flusher,
            committer=self._committer,
        )

    def busy(self, thread: str) -> None:
        """Raise ThreadBusy if somebody is driving *thread*; change nothing."""
        self.storage.acquire(thread, f"{owner_id()}#ask", 0, self.clock())

    def read(self, thread: str, after: int = 0) -> list[Entry]:
        """Return the records of *thread* after a row, in order; empty for an unknown thread."""
        return read_entries(self.storage, thread, after)

    def marks(self, thread: str) -> Iterator[Entry]:
        """Return the landmarks of *thread*, newest first, without the rows between them."""
        return newest_landmarks(self.storage, thread)

    def landmarks(self) -> Iterator[tuple[str, Entry]]:
        """Yield ``(thread, entry)`` for each beginning, end, pause, question and answer."""
        for thread, row in self.storage.landmarks():
            yield thread, from_row(thread, row)

    def value(self, thread: str, body: bytes, *, hint: type | None = None) -> Any:
        """Decode a stored body of *thread*."""

        def fetch(hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
            return restored(thread, self.storage.fetch(thread, hashes))

        return self.codec.join(body, fetch, hint=hint)

    async def apart(self, work: Callable[[], T], undo: Callable[[T], object]) -> T:
        """Return what *work* returns, which reads and writes the journal.

        On a storage that is slow it is done in a thread, while the event loop goes on.

        Args:
            work: Does it; in the context of this call.
            undo: Undoes what a caller that was cancelled meanwhile has no use for any more.
        """
        if not isinstance(self.storage, Sharing) or not self.storage.is_remote:
            return work()
        return await self._apart.call(work, undo)

    def close(self) -> None:
        """Give back every thread and close the storage."""
        self._keeper.close()
        self._apart.close()
        self.storage.close()
