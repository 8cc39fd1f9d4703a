"""What every storage does in a forked child: it is used there as in any other process."""

from __future__ import annotations

import threading

import pytest
from tests.support.forks import in_child

from durably.errors import ThreadBusy
from durably.journal.leases.process_identity import owner_id
from durably.journal.memory_storage import MemoryStorage
from durably.journal.storage import Row, Storage

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def row(seq: int) -> Row:
    """Return a row."""
    return Row(seq, 1, "run", b"body %d" % seq)


def test_child_reads_and_writes(storage: Storage):
    """A child sees what was there, and what it appends is there for its parent, who goes on."""
    lease = storage.acquire("parent's", owner_id(), 60, 0)
    storage.append(lease, [row(1)], {}, barrier=False)

    def child() -> None:
        assert [*storage.read("parent's")] == [row(1)]
        own = storage.acquire("child's", owner_id(), 60, 0)
        storage.append(own, [row(1), row(2)], {b"h": b"blob"}, barrier=True)
        storage.renew(own, 0)
        storage.close()

    in_child(child)
    storage.append(lease, [row(2)], {}, barrier=True)
    assert [*storage.read("parent's")] == [row(1), row(2)]
    if not isinstance(storage, MemoryStorage):
        assert [*storage.read("child's")] == [row(1), row(2)]
        assert storage.fetch("child's", [b"h"]) == {b"h": b"blob"}


def test_held_thread_is_busy_in_the_child(storage: Storage):
    """A lease is its process's: a child is refused the thread that its parent drives."""
    storage.acquire("t", f"{owner_id()}#1", 60, 0)

    def child() -> None:
        with pytest.raises(ThreadBusy):
            storage.acquire("t", f"{owner_id()}#1", 60, 0)

    in_child(child)


def test_fork_while_others_write(storage: Storage):
    """A child is not held up by what other threads of its parent were doing at the fork."""
    is_over = threading.Event()

    def write(name: str) -> None:
        lease = storage.acquire(name, owner_id(), 60, 0)
        seq = 0
        while not is_over.is_set():
            seq += 1
            storage.append(lease, [row(seq)], {}, barrier=False)
            storage.read(name, seq - 1)

    def child() -> None:
        own = storage.acquire("child's", f"{owner_id()}#1", 60, 0)
        head = len(storage.read("child's"))
        storage.append(own, [row(head + 1)], {}, barrier=True)
        storage.renew(own, 0)

    writers = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(3)]
    for one in writers:
        one.start()
    try:
        for _ in range(10):
            in_child(child)
    finally:
        is_over.set()
        for one in writers:
            one.join()
    if not isinstance(storage, MemoryStorage):
        assert [*storage.read("child's")] == [row(n) for n in range(1, 11)]
