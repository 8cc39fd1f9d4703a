"""``durability="async"``: records are written a moment later, many at once, and barriers wait."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from durably.errors import StorageError
from durably.journal import Codec, Journal, Lease, MemoryStorage, Row, ThreadLog
from durably.journal.log.delayed_flush import Flusher
from durably.journal.records import Saved


class Watched(MemoryStorage):
    """Tells how many rows each append brought, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.brought: list[int] = []
        self.failure: BaseException | None = None

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        if self.failure is not None:
            raise self.failure
        super().append(lease, rows, blobs, barrier=barrier)
        self.brought.append(len(rows))


class Later(Flusher):
    """Flushes when the test says so."""

    def soon(self, key: int, flush: Any) -> None:
        self._due[key] = flush

    def now(self) -> None:
        for flush in [*self._due.values()]:
            flush()


@pytest.fixture
def storage() -> Watched:
    return Watched()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def log(storage: Watched, later: Later) -> ThreadLog:
    journal = Journal(storage, Codec())
    journal._flusher = later
    return journal.take("t", "async")


def test_records_of_a_moment_are_one_append(storage: Watched, later: Later, log: ThreadLog) -> None:
    """Nothing is written at once, and then everything together, in order."""
    for at in range(5):
        log.append("run", Saved(at, b""))
    assert storage.brought == []
    later.now()
    later.now()
    assert storage.brought == [5]
    assert [row.seq for row in storage.read("t")] == [1, 2, 3, 4, 5]


def test_a_barrier_takes_along_what_waits(storage: Watched, log: ThreadLog) -> None:
    """When it returns everything is there."""
    log.append("run", Saved(1, b""))
    log.append("run", Saved(2, b""), barrier=True)
    assert storage.brought == [2]


def test_what_waits_is_bounded(storage: Watched, log: ThreadLog) -> None:
    """A run that is faster than the storage writes by itself."""
    for at in range(600):
        log.append("run", Saved(at, b""))
    assert storage.brought == [512]


def test_what_waits_is_read_with_the_rest(log: ThreadLog) -> None:
    """A run finds its own records and blobs, written or not."""
    log.append("run", Saved(1, b"x"), blobs={b"h" * 16: b"data"})
    assert [entry.record for entry in log.marks()] == [Saved(1, b"x")]


def test_a_failure_in_between_is_the_next_appends(
    storage: Watched, later: Later, log: ThreadLog
) -> None:
    """The run must not go on without its journal, and is told at its next step."""
    log.append("run", Saved(1, b""))
    storage.failure = StorageError("the disk is full")
    later.now()
    with pytest.raises(StorageError, match="the disk is full"):
        log.append("run", Saved(2, b""))


def test_an_interrupted_barrier_writes_nothing_twice(storage: Watched, log: ThreadLog) -> None:
    """Ctrl-C before or after the commit: what was kept back is there once in the end."""
    log.append("run", Saved(1, b""))
    storage.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        log.append("run", Saved(2, b""), barrier=True)
    storage.failure = None
    log.append("run", Saved(3, b""), barrier=True)
    assert [row.seq for row in storage.read("t")] == [1, 2, 3]


def test_giving_the_thread_back_writes_what_waits(storage: Watched, log: ThreadLog) -> None:
    """A run's end loses nothing."""
    log.append("run", Saved(1, b""))
    log.release()
    assert len(storage.read("t")) == 1


def test_the_thread_of_the_flusher_serves_whoever_asks() -> None:
    """Asked twice before it looks, it flushes once; asked again later, it flushes again."""
    paused, go_on, flushed = threading.Semaphore(0), threading.Semaphore(0), threading.Semaphore(0)

    def pause(_: float) -> None:
        paused.release()
        go_on.acquire()

    flusher = Flusher(pause)
    count: list[int] = []

    def flush() -> None:
        count.append(1)
        flushed.release()

    for _ in range(2):
        flusher.soon(1, flush)
        paused.acquire()
        flusher.soon(1, flush)
        go_on.release()
        flushed.acquire()
    assert len(count) == 2
