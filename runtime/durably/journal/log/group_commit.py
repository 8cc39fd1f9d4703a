"""Group commit: callers that arrive while a commit is under way share the next one.

A lone caller commits by itself, without a change of threads. Callers that find a commit under way
queue up; when it has ended, the first of them commits for all that wait (group commit after
D. DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984). There is no
background thread and no timer.
"""

from __future__ import annotations

import enum
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from ...errors import StorageError
from ..storage import Lease, Row

Job = TypeVar("Job")


class Append(NamedTuple):
    """One call of :meth:`~durably.journal.storage.Storage.append`."""

    lease: Lease
    rows: Sequence[Row]
    blobs: Mapping[bytes, bytes]
    barrier: bool


class _State(enum.Enum):
    WAITING = enum.auto()
    LEADING = enum.auto()
    TAKEN = enum.auto()


class _Entry(Generic[Job]):
    """A caller: what it brought, where it stands, what came of it."""

    __slots__ = ("jobs", "outcomes", "state", "wake")

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.state = _State.WAITING
        self.outcomes: Sequence[Exception | None] = ()
        self.wake = threading.Lock()

    def settle(self, outcomes: Sequence[Exception | None]) -> None:
        self.outcomes = outcomes
        self.wake.release()


class GroupCommit(Generic[Job]):
    """Runs *commit* for one caller at a time, with everything that queued up meanwhile.

    Args:
        commit: Commits several jobs at once and returns for each its error, or ``None``. It is
            never called by two threads at the same time.

    Example:
        >>> group = GroupCommit[str](lambda jobs: [None for _ in jobs])
        >>> group.submit("row")
    """

    def __init__(self, commit: Callable[[Sequence[Job]], Sequence[Exception | None]]) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._queue: list[_Entry[Job]] = []
        self._led = False

    def submit(self, job: Job) -> None:
        """Return when *job* is committed.

        Raises:
            StorageError: The thread that was committing for this one was interrupted; whether the
                job was written is not known.
            Exception: Whatever *commit* returned for this job.
        """
        (error,) = self.submit_all((job,))
        if error is not None:
            raise error

    def submit_all(self, jobs: Sequence[Job]) -> Sequence[Exception | None]:
        """Return when *jobs* are committed, or have failed: for each its error, or ``None``."""
        entry = _Entry(jobs)
        try:
            with self._lock:
                if self._led:
                    entry.wake.acquire()
                    self._queue.append(entry)
                else:
                    self._led = True
                    entry.state = _State.LEADING
            if entry.state is _State.WAITING:
                entry.wake.acquire()
            if entry.state is _State.LEADING:
                self._lead(entry)
        except BaseException:
            self._withdraw(entry)
            raise
        return entry.outcomes

    def _lead(self, first: _Entry[Job]) -> None:
        batch = [first]
        first.state = _State.TAKEN
        try:
            if self._queue:
                with self._lock:
                    batch += self._queue
                    self._queue.clear()
                    for entry in batch:
                        entry.state = _State.TAKEN
            if len(batch) == 1:
                first.outcomes = self._commit(first.jobs)
            else:
                self._commit_for(batch)
        except BaseException:
            for entry in batch[1:]:
                if entry.wake.locked():
                    entry.settle([interrupted() for _ in entry.jobs])
            raise
        finally:
            self._hand_over()

    def _commit_for(self, batch: Sequence[_Entry[Job]]) -> None:
        """Commit what several callers brought; wake all but the first, whose thread this is."""
        outcomes = iter(self._commit([job for entry in batch for job in entry.jobs]))
        first, *others = batch
        first.outcomes = list(itertools.islice(outcomes, len(first.jobs)))
        for entry in others:
            entry.settle(list(itertools.islice(outcomes, len(entry.jobs))))

    def _hand_over(self) -> None:
        with self._lock:
            if self._queue:
                heir = self._queue.pop(0)
                heir.state = _State.LEADING
                heir.wake.release()
            else:
                self._led = False

    def _withdraw(self, entry: _Entry[Job]) -> None:
        # A caller may be interrupted (Ctrl-C) at any point; it must not take the lead to its grave.
        with self._lock:
            leading = entry.state is _State.LEADING
            if entry in self._queue:
                self._queue.remove(entry)
        if leading:
            self._hand_over()


def interrupted() -> StorageError:
    """Return what a caller is told whose rows another thread was writing when it was stopped."""
    return StorageError(
        "the thread that was writing to the journal for this one was interrupted; whether these "
        "rows were written is not known. Run again: the journal tells what was recorded."
    )
