"""Whoever waits for a thread's rows goes on when they are there, on every storage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from durably.storage import Row, Storage, wait_for_rows

NOW = 1000.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def row(seq: int) -> Row:
    return Row(seq, 20, "run", b"")


def wait(pool: ThreadPoolExecutor, storage: Storage, thread: str, after: int) -> Future[bool]:
    """Begin to wait in another thread."""
    begun = threading.Event()

    def work() -> bool:
        begun.set()
        return wait_for_rows(storage, thread, after, 30)

    waiting = pool.submit(work)
    assert begun.wait(10)
    return waiting


def test_rows_that_are_there_are_not_waited_for(storage: Storage) -> None:
    """Only rows after the given one count."""
    storage.append(storage.acquire("t", "me", 30, NOW), [row(1), row(2)], {}, barrier=False)
    assert wait_for_rows(storage, "t", 1, 30)
    assert not wait_for_rows(storage, "t", 2, 0)


def test_a_wait_ends_with_the_row(storage: Storage, pool: ThreadPoolExecutor) -> None:
    """Rows of other threads do not end it."""
    mine, others = storage.acquire("t", "me", 30, NOW), storage.acquire("u", "me", 30, NOW)
    storage.append(mine, [row(1)], {}, barrier=False)
    waiting = wait(pool, storage, "t", 1)
    storage.append(others, [row(1), row(2)], {}, barrier=True)
    assert not waiting.done()
    storage.append(mine, [row(2)], {}, barrier=False)
    assert waiting.result(10)


def test_a_thread_that_is_not_there_yet_is_waited_for(
    storage: Storage, pool: ThreadPoolExecutor
) -> None:
    """Taking it is not enough; its first row is."""
    waiting = wait(pool, storage, "new", 0)
    lease = storage.acquire("new", "me", 30, NOW)
    assert not wait_for_rows(storage, "new", 0, 0.01)
    storage.append(lease, [row(1)], {}, barrier=False)
    assert waiting.result(10)


def test_many_wait_at_once(storage: Storage, pool: ThreadPoolExecutor) -> None:
    """One row ends every wait for it."""
    lease = storage.acquire("t", "me", 30, NOW)
    waiting = [wait(pool, storage, "t", 0) for _ in range(4)]
    storage.append(lease, [row(1)], {}, barrier=False)
    assert all(one.result(10) for one in waiting)


def test_nothing_in_time_is_no_error(storage: Storage) -> None:
    """The answer is no."""
    assert not wait_for_rows(storage, "unknown", 0, 0.02)
