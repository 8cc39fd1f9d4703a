"""A thread that finds another one writing leaves its rows to the next append."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from durably.journal import Codec, Journal, MemoryStorage, ThreadLog
from durably.journal.records import Saved


@pytest.fixture
def log() -> Iterator[ThreadLog]:
    log = Journal(MemoryStorage(), Codec()).take("t")
    yield log
    log.release()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def while_written_to(
    log: ThreadLog, pool: ThreadPoolExecutor, *appends: Callable[[], int]
) -> list[Future[int]]:
    """Begin appends in other threads while this one has its turn."""
    begun = threading.Semaphore(0)

    def work(append: Callable[[], int]) -> int:
        begun.release()
        return append()

    with log.turn:
        waiting = [pool.submit(work, append) for append in appends]
        for _ in appends:
            assert begun.acquire(timeout=10)
    return waiting


def test_rows_are_numbered_as_they_are_written(log: ThreadLog, pool: ThreadPoolExecutor) -> None:
    """Each thread is told its own row."""
    saved = [Saved(float(number), b"") for number in range(4)]
    waiting = while_written_to(log, pool, *(lambda one=one: log.append("r", one) for one in saved))
    rows = [one.result(10) for one in waiting]
    assert sorted(rows) == [1, 2, 3, 4]
    held = {entry.seq: entry.record for entry in log.entries}
    assert [held[row] for row in rows] == saved


def test_nothing_to_write_is_no_row(log: ThreadLog, pool: ThreadPoolExecutor) -> None:
    """Who comes for what another one has just taken along writes nothing, and harms nothing."""
    waiting = while_written_to(log, pool, lambda: log.append("r"), lambda: log.append("r"))
    for one in waiting:
        one.result(10)
    assert log.append("r", Saved(1.0, b"")) == 1
    assert [entry.seq for entry in log.entries] == [1]
