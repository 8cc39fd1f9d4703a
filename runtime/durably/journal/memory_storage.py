"""A storage that lives and dies with the process, for tests and throw-away runs."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from ..process_fork import Guarded, tell_of_forks
from .leases.refusals import check_free, lease_lost, out_of_order
from .storage import LANDMARK, Lease, Row

_seq = attrgetter("seq")


@dataclass(slots=True)
class _Thread:
    owner: str | None
    epoch: int
    until: float
    rows: list[Row] = field(default_factory=list)
    marks: list[Row] = field(default_factory=list)
    blobs: dict[bytes, bytes] = field(default_factory=dict)

    def is_held_by(self, lease: Lease) -> bool:
        return self.owner == lease.owner and self.epoch == lease.epoch


class MemoryStorage(Guarded):
    """Keeps threads in this process's memory; see :class:`~durably.journal.storage.Storage`.

    Nothing survives the process, with or without a barrier. A forked child has a copy of its own.

    Example:
        >>> storage = MemoryStorage()
        >>> lease = storage.acquire("t", "me", ttl=30.0, now=0.0)
        >>> storage.append(lease, [Row(1, 1, "run", b"fact")], {}, barrier=False)
        >>> storage.read("t")
        [Row(seq=1, kind=1, run='run', body=b'fact')]
    """

    def __init__(self) -> None:
        self.url = "memory:"
        self._lock = threading.Lock()
        self._grown = threading.Condition(self._lock)
        self._waiting = 0
        self._threads: dict[str, _Thread] = {}
        self._landmarks: list[tuple[str, Row]] = []
        tell_of_forks(self)

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        """Take a thread; see :meth:`Storage.acquire`."""
        with self._lock:
            held = self._threads.get(thread)
            if held is not None:
                check_free(thread, held.owner, held.until, owner, now)
            if ttl == 0:
                epoch, head = (held.epoch, len(held.rows)) if held else (0, 0)
                return Lease(thread, owner, epoch, head)
            if held is None:
                held = self._threads[thread] = _Thread(owner, 1, now + ttl)
            else:
                held.epoch += held.owner != owner
                held.owner, held.until = owner, now + ttl
            return Lease(thread, owner, held.epoch, len(held.rows))

    def renew(self, lease: Lease, until: float) -> None:
        """Extend a lease or give it back; see :meth:`Storage.renew`."""
        with self._lock:
            held = self._threads.get(lease.thread)
            if held is not None and held.is_held_by(lease):
                held.until = until
                held.owner = lease.owner if until else None
            elif until:
                raise lease_lost(lease, held.owner if held else None)

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append rows and blobs, all or nothing; see :meth:`Storage.append`."""
        if not rows and not blobs and not barrier:
            return
        with self._lock:
            held = self._threads.get(lease.thread)
            if held is None or held.owner != lease.owner or held.epoch != lease.epoch:
                raise lease_lost(lease, held.owner if held else None)
            for seq, row in enumerate(rows, len(held.rows) + 1):
                if row[0] != seq:
                    raise out_of_order(lease.thread, row.seq, seq - 1)
            held.rows += rows
            for row in rows:
                if row[1] < LANDMARK:
                    self._mark(lease.thread, held, row)
            for key in blobs:
                held.blobs.setdefault(key, blobs[key])
            if self._waiting:
                self._grown.notify_all()

    def wait(self, thread: str, after: int, timeout: float) -> bool:
        """Wait until a thread has a row with ``seq > after``; see :class:`Waiting`."""

        def has_grown() -> bool:
            held = self._threads.get(thread)
            return held is not None and len(held.rows) > after

        with self._grown:
            self._waiting += 1
            try:
                return self._grown.wait_for(has_grown, timeout)
            finally:
                self._waiting -= 1

    def rewrite(self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes]) -> None:
        """Replace everything a thread holds; see :class:`Rewriting`."""
        with self._lock:
            held = self._threads.get(lease.thread)
            if held is None or not held.is_held_by(lease):
                raise lease_lost(lease, held.owner if held else None)
            held.rows, held.marks, held.blobs = list(rows), [], dict(blobs)
            self._landmarks = [mark for mark in self._landmarks if mark[0] != lease.thread]
            for row in rows:
                if row.kind < LANDMARK:
                    self._mark(lease.thread, held, row)

    def _mark(self, thread: str, held: _Thread, row: Row) -> None:
        held.marks.append(row)
        self._landmarks.append((thread, row))

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        """Return the thread's rows with ``seq > after`` in order; see :meth:`Storage.read`."""
        with self._lock:
            held = self._threads.get(thread)
            return held.rows[after:] if held else []

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        """Return the thread's last landmarks; see :meth:`Storage.marks`."""
        with self._lock:
            held = self._threads.get(thread)
            marks = held.marks if held else []
            end = bisect_left(marks, before, key=_seq) if before else len(marks)
            return marks[max(0, end - limit) : end][::-1]

    def landmarks(self) -> Iterator[tuple[str, Row]]:
        """Yield ``(thread, row)`` for each landmark; see :meth:`Storage.landmarks`."""
        with self._lock:
            found = self._landmarks.copy()
        yield from found

    def fetch(self, thread: str, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return those of the thread's blobs that are there; see :meth:`Storage.fetch`."""
        with self._lock:
            held = self._threads.get(thread)
            blobs = held.blobs if held else {}
            return {key: blobs[key] for key in hashes if key in blobs}

    def delete(self, thread: str, now: float) -> None:
        """Forget a thread; see :meth:`Storage.delete`."""
        with self._lock:
            held = self._threads.get(thread)
            if held is None:
                return
            check_free(thread, held.owner, held.until, "", now)
            del self._threads[thread]
            self._landmarks = [mark for mark in self._landmarks if mark[0] != thread]

    def close(self) -> None:
        """Do nothing: what is stored goes when the last reference goes."""
