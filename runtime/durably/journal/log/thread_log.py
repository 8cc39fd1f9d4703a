"""The log of one thread that is being driven: what it held, and the way to append to it."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from ...errors import DurablyError, UnknownRun
from ..codec.codec import NO_BLOBS, Codec
from ..codec.compression import restored, stored
from ..entries import newest_landmarks, read_entries
from ..leases.lease_renewer import Keeper
from ..records import Entry, Record, RunStarted, from_row, to_row, verify
from ..storage import LANDMARK, Lease, Row, Storage
from .append_cost import Pace, pace_of
from .async_committer import Committer
from .delayed_flush import Flusher
from .durability import LATER, Durability
from .group_commit import Append, GroupCommit, interrupted
from .pending_append import Batch, Owner, Pending, settle
from .stored_hashes import Known, KnownBlobs

_MOST_KEPT_BACK = 512
"""Records that wait at most before the run writes them itself."""


class ThreadLog:
    """One thread that this process drives: what it held, and the way to append to it.

    Args:
        storage: Where the thread's rows are kept.
        codec: Makes bytes of values.
        lease: This process's lease of the thread.
        durability: When an append reaches the storage.
        keeper: Renews the lease, and gives it back.
        known: The blobs that this process has stored.
        flusher: Calls a delayed write.
        committer: Writes the appends that coroutines await.

    Attributes:
        thread: The thread's id.
        pace: What a coroutine's append costs.
        barrier_pace: What one costs that must survive a power cut.
        turn: Held by whoever is writing.
    """

    def __init__(
        self,
        storage: Storage,
        codec: Codec,
        lease: Lease,
        durability: Durability = "sync",
        *,
        keeper: Keeper,
        known: KnownBlobs,
        flusher: Flusher,
        committer: Committer,
    ) -> None:
        self._storage = storage
        self._codec = codec
        self._keeper = keeper
        self._known_blobs = known
        self._flusher = flusher
        self._committer = committer
        self.pace = pace_of(storage, durability, barrier=False)
        self.barrier_pace = pace_of(storage, durability, barrier=True)
        self._durability = durability
        self._kept_back: list[Row] = []
        self._kept_blobs: dict[bytes, bytes] = {}
        self.thread = lease.thread
        self._entries: list[Entry] | None = None
        self._lease = lease
        self._head = lease.head
        self.turn = threading.Lock()
        self._pending: deque[Pending] = deque()
        self._sharing = GroupCommit(self._write_shared)
        self._failure: DurablyError | None = None
        self._is_unsure = False
        self._known: Known | None = None

    @property
    def entries(self) -> list[Entry]:
        """Every record that the thread held when this was first asked for."""
        if self._entries is None:
            self._entries = read_entries(self._storage, self.thread)
        return self._entries

    def marks(self) -> Iterator[Entry]:
        """Yield the thread's landmarks, newest first, those that are kept back too."""
        kept = [row for row in self._kept_back if row.kind < LANDMARK]
        yield from (from_row(self.thread, row) for row in reversed(kept))
        if self._head > len(self._kept_back):  # else nothing is written yet
            yield from newest_landmarks(self._storage, self.thread)

    def rows_of(self, run: str) -> list[Row]:
        """Return the rows of one of the thread's runs, verified."""
        before = max(0, self.start_of(run).seq - 2)  # the program's files are told in front of it
        rows = self._storage.read(self.thread, before)
        own = [row for row in rows if row.run == run]
        verify(self.thread, own)
        return own

    def start_of(self, run: str) -> Entry:
        """Return the record with which a run began.

        Raises:
            UnknownRun: The thread has no such run.
        """
        return self.marks_of(run)[0]

    def marks_of(self, run: str) -> list[Entry]:
        """Return a run's landmarks, oldest first.

        Raises:
            UnknownRun: The thread has no such run.
        """
        own: list[Entry] = []
        for entry in self.marks():
            if entry.run == run:
                own.append(entry)
                if isinstance(entry.record, RunStarted):
                    return own[::-1]
        raise UnknownRun(f"the journal does not say how run {run} of thread {self.thread!r} began")

    @property
    def was_empty(self) -> bool:
        """Whether the thread held nothing when it was taken."""
        return self._lease.head == 0

    @property
    def failed(self) -> bool:
        """Whether an append failed; nothing more can be written through this log."""
        return self._failure is not None

    def append(
        self,
        run: str,
        *records: Record,
        blobs: Mapping[bytes, bytes] = NO_BLOBS,
        barrier: bool = False,
        owner: Owner | None = None,
        ended: tuple[str, Record] | None = None,
    ) -> int:
        """Append *records* and return the row number of the first.

        Args:
            run: The run they belong to.
            *records: What happened, in order; none to write only what the owner has.
            blobs: Content-addressed parts that the records refer to.
            barrier: Whether everything so far must survive a power cut when this returns.
            owner: What has something to write in front of them, and is told when it is written.
            ended: Another run and its end, written in front of everything else in the same commit.

        Raises:
            StorageError: Nothing was written. The log stays failed: a run must not go on without
                its journal.
            LeaseLost: Another process drives the thread now.
        """
        if not self.turn.acquire(blocking=False):  # another thread of the run is writing
            if self._durability not in LATER and ended is None:
                return self._share(Pending(run, records, blobs, barrier=barrier, owner=owner))
            self.turn.acquire()
        try:
            if self._pending or self._is_unsure or self._failure is not None:
                self._make_ready()
            side = owner.side_records() if owner is not None else ()
            if side:
                records = (*side, *records)
            elif not records:
                return 0  # somebody else has just taken along what was to be written
            rows = [] if ended is None else [to_row(self.thread, self._head + 1, *ended)]
            first = self._head + 1 + len(rows)
            for seq, record in enumerate(records, first):
                rows.append(to_row(self.thread, seq, run, record))
            if self._durability in LATER:
                self._head += len(rows)
                self._keep_back(rows, blobs, barrier)
            else:
                self._write(rows, blobs, barrier or self._durability == "power")
                self._head += len(rows)
            if owner is not None:
                owner.take_in(first, records)
            return first + len(side)
        finally:
            self.turn.release()

    def _make_ready(self) -> None:
        """See to what earlier appends have left behind."""
        if self._pending:
            self._write_pending()
        if self._failure is not None:
            raise self._failure
        if self._is_unsure:
            self._look_again()

    def _share(self, pending: Pending) -> int:
        """Append together with other threads that found another one writing."""
        self._sharing.submit(pending)
        return pending.first

    def _write_shared(self, pending: Sequence[Pending]) -> Sequence[Exception | None]:
        with self.turn:
            self._pending.extend(pending)
            self._write_pending()
        return [one.error for one in pending]

    async def write(self, pending: Pending, pace: Pace) -> int:
        """Return the row of the first record of *pending* when the records are written.

        A caller that is cancelled meanwhile loses nothing: the records are written all the same.

        Raises:
            StorageError: Nothing was written, and nothing more can be.
            LeaseLost: Another process drives the thread now.
        """
        return await self._committer.write(self, pending, pace)

    def soon(self, key: int, write: Callable[[], None]) -> None:
        """Call *write*, which must not raise, in a moment; once for each *key*."""
        self._flusher.soon(key, write)

    @property
    def is_shared(self) -> bool:
        """Whether this process drives other threads of the journal too."""
        return self._keeper.holds > 1

    def defer(self, pending: Pending) -> None:
        """Have records written with the next append, or by whoever calls :meth:`gather` first."""
        self._pending.append(pending)

    def gather(self) -> Batch | None:
        """Return the rows of what was deferred; None if there is nothing to be written for it.

        Whoever calls this holds the turn, and writes the rows before anybody else writes.
        """
        pending: list[Pending] = []
        while self._pending:
            pending.append(self._pending.popleft())
        if not pending:
            return None
        try:
            return self._gathered(pending)
        except Exception as error:
            self._give_up(pending, error)
            return None

    def _gathered(self, pending: Sequence[Pending]) -> Batch:
        if self._failure is not None:
            raise self._failure
        if self._is_unsure:
            self._look_again()
        rows, blobs, head = [*self._kept_back], {**self._kept_blobs}, self._head
        barrier = self._durability == "power"
        for one in pending:
            for record in one.placed(head + 1):
                head += 1
                rows.append(to_row(self.thread, head, one.run, record))
            blobs.update(one.blobs)
            barrier = barrier or one.barrier
        return Batch(pending, Append(self._lease, rows, self._unknown(blobs), barrier))

    def wrote(self, batch: Batch, error: Exception | None) -> None:
        """Take note of what became of a batch, and let those who wait for it go on."""
        if error is not None:
            self._give_up(batch.pending, error)
            return
        rows = batch.append.rows
        self._head = rows[-1].seq if rows else self._head
        if self._kept_back:
            self._kept_back, self._kept_blobs = [], {}
        if self._known is not None:
            self._known.add(rows, batch.append.blobs)
        settle(batch.pending, None)

    def _give_up(self, pending: Sequence[Pending], error: Exception) -> None:
        if isinstance(error, DurablyError):
            self._failure = self._failure or error
        else:
            self._is_unsure = True
        settle(pending, error)

    def _write_pending(self) -> None:
        """Write what was deferred before."""
        batch = self.gather()
        if batch is None:
            return
        error: Exception | None = interrupted()
        try:
            lease, rows, blobs, barrier = batch.append
            self._storage.append(lease, rows, blobs, barrier=barrier)
            error = None
        except Exception as failure:
            error = failure
        finally:
            self.wrote(batch, error)

    def _look_again(self) -> None:
        """Find out what was written by an append that was interrupted."""
        kept = self._kept_back
        before = kept[0].seq - 1 if kept else self._head
        written = len(self._storage.read(self.thread, before))
        if kept:
            del kept[:written]
        else:
            self._head += written
        self._is_unsure = False

    def _keep_back(self, rows: Sequence[Row], blobs: Mapping[bytes, bytes], barrier: bool) -> None:
        self._kept_back += rows
        self._kept_blobs.update(blobs)
        if self._durability == "exit":
            return
        if barrier or len(self._kept_back) >= _MOST_KEPT_BACK:
            self._write_kept(barrier)
        else:
            self._flusher.soon(id(self), self._flush_now)

    def _flush_now(self) -> None:
        """Write what is kept back; a failure is the next append's."""
        with self.turn, contextlib.suppress(DurablyError):
            if self._failure is None:
                self._write_kept(barrier=False)

    def _write_kept(self, barrier: bool) -> None:
        if self._is_unsure:
            self._look_again()
        if self._kept_back:
            self._write(self._kept_back, self._kept_blobs, barrier)
            self._kept_back, self._kept_blobs = [], {}

    def _write(self, rows: Sequence[Row], blobs: Mapping[bytes, bytes], barrier: bool) -> None:
        try:
            blobs = self._unknown(blobs)
            self._storage.append(self._lease, rows, blobs, barrier=barrier)
        except DurablyError as error:
            self._failure = error
            raise
        except BaseException:
            self._is_unsure = True  # Ctrl-C may come before or after the commit
            raise
        if self._known is not None:
            self._known.add(rows, blobs)

    def _unknown(self, blobs: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
        """Return those of *blobs* that the thread may not hold yet, as they are kept."""
        if not blobs:
            return blobs
        if self._known is None:
            self._known = self._known_blobs.of(self._storage, self._lease)
        return stored(self._known.unknown(blobs))

    def write_begun(self) -> None:
        """Write what ``async`` keeps back: a run's beginning comes before its first step.

        Raises:
            StorageError: Nothing of it was written.
        """
        if self._durability == "async":
            with self.turn:
                self._write_kept(barrier=False)

    def flush(self) -> None:
        """Write what is kept back, synced.

        Raises:
            StorageError: Nothing of it was written.
        """
        with self.turn:
            if self._pending:
                self._write_pending()
            self._write_kept(barrier=True)

    def catch_up(self) -> None:
        """Let what is read be all that was appended, kept back until the end or not."""
        self.flush()
        self._entries = None

    def value(self, body: bytes, *, hint: type | None = None) -> Any:
        """Decode a stored body of this thread."""
        return self._codec.join(body, self._fetch, hint=hint)

    def _fetch(self, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        found = restored(self.thread, self._storage.fetch(self.thread, hashes))
        kept = self._kept_blobs
        return {**{key: kept[key] for key in hashes if key in kept}, **found} if kept else found

    def release(self) -> None:
        """Give the thread back; a log that failed or lost its lease is let go silently.

        Raises:
            StorageError: What had been kept back until now could not be written.
        """
        try:
            self.flush()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if self._known is not None and self._failure is None and not self._is_unsure:
            self._known_blobs.keep(self._lease, self._known, self._head)
        try:
            self._keeper.give_back(self._lease)
        except DurablyError:
            # The storage is failing and has said so where it mattered.
            if self._failure is None:
                raise
