"""What every storage does with rows and blobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably.errors import JournalError, LeaseLost, ThreadBusy
from durably.journal.storage import LANDMARK, Lease, Row, Storage

TTL = 30.0


def take(storage: Storage, thread: str = "t", owner: str = "me") -> Lease:
    return storage.acquire(thread, owner, TTL, time.time())


def rows(first: int, last: int, *, kind: int = LANDMARK, run: str = "run") -> list[Row]:
    return [Row(seq, kind, run, b"body %d" % seq) for seq in range(first, last + 1)]


def test_is_a_storage(storage: Storage):
    """A storage offers the protocol's methods."""
    assert isinstance(storage, Storage)


def test_rows_come_back_in_order(storage: Storage):
    """Rows appended one at a time and several at a time are read in sequence."""
    lease = take(storage)
    storage.append(lease, rows(1, 1), {}, barrier=False)
    storage.append(lease, rows(2, 5), {}, barrier=True)
    storage.append(lease, rows(6, 6), {}, barrier=True)
    assert list(storage.read("t")) == rows(1, 6)


@pytest.mark.parametrize("after", [0, 3, 5, 9])
def test_reading_begins_after_a_row(storage: Storage, after: int):
    """``after`` leaves out the rows up to and including that number."""
    storage.append(take(storage), rows(1, 5), {}, barrier=False)
    assert list(storage.read("t", after)) == rows(after + 1, 5)


def test_unknown_thread_is_empty(storage: Storage):
    """A thread that nobody wrote to has no rows and no blobs."""
    assert list(storage.read("nobody")) == []
    assert dict(storage.fetch("nobody", [b"h"])) == {}


def test_lease_tells_the_head(storage: Storage):
    """A lease carries the number of the thread's last row."""
    lease = take(storage)
    assert lease.head == 0
    storage.append(lease, rows(1, 3), {}, barrier=False)
    assert take(storage).head == 3


@pytest.mark.parametrize(
    ("bad", "culprit"),
    [
        (rows(4, 4), 4),
        (rows(2, 2), 2),
        (rows(5, 6), 5),
        (rows(3, 3) + rows(5, 5), 5),
        (rows(3, 3) * 2, 3),
        (rows(0, 0), 0),
    ],
    ids=["skips one", "repeats", "skips several", "gap inside", "twice", "zero"],
)
def test_sequence_has_no_gaps(storage: Storage, bad: list[Row], culprit: int):
    """A row that is not the next one is refused, naming thread and row, and nothing is written."""
    lease = take(storage)
    storage.append(lease, rows(1, 2), {}, barrier=False)
    with pytest.raises(JournalError, match=f"row {culprit} of thread 't'") as caught:
        storage.append(lease, bad, {b"h": b"data"}, barrier=False)
    assert not isinstance(caught.value, LeaseLost)
    assert list(storage.read("t")) == rows(1, 2)
    assert dict(storage.fetch("t", [b"h"])) == {}
    storage.append(lease, rows(3, 3), {}, barrier=False)
    assert list(storage.read("t")) == rows(1, 3)


def test_single_row_out_of_order_is_refused(storage: Storage):
    """The one-row append checks the sequence as well."""
    lease = take(storage)
    storage.append(lease, rows(1, 1), {}, barrier=False)
    for seq in (1, 3):
        with pytest.raises(JournalError, match=f"row {seq} of thread 't'.* 1;"):
            storage.append(lease, rows(seq, seq), {}, barrier=False)
    assert list(storage.read("t")) == rows(1, 1)


@pytest.mark.parametrize("barrier", [False, True])
def test_empty_append_changes_nothing(storage: Storage, *, barrier: bool):
    """An append of nothing is a no-op, with a barrier too."""
    lease = take(storage)
    storage.append(lease, rows(1, 1), {}, barrier=False)
    storage.append(lease, [], {}, barrier=barrier)
    assert list(storage.read("t")) == rows(1, 1)
    assert take(storage).head == 1


def test_barrier_without_rows_is_fenced(storage: Storage):
    """A barrier under a lost lease is refused, for it would promise what it cannot know."""
    lease = take(storage)
    storage.renew(lease, 0)
    with pytest.raises(LeaseLost):
        storage.append(lease, [], {}, barrier=True)


def test_caller_may_change_its_list_afterwards(storage: Storage):
    """What was appended does not follow later changes of the caller's objects."""
    batch, blobs = rows(1, 2), {b"h": b"one"}
    storage.append(take(storage), batch, blobs, barrier=False)
    batch.clear()
    blobs[b"h"] = b"two"
    assert list(storage.read("t")) == rows(1, 2)
    assert storage.fetch("t", [b"h"])[b"h"] == b"one"


def test_reader_may_change_its_answer(storage: Storage):
    """Changing what ``read`` returned does not change the thread."""
    storage.append(take(storage), rows(1, 2), {}, barrier=False)
    answer = storage.read("t")
    if isinstance(answer, list):
        answer.clear()
    assert list(storage.read("t")) == rows(1, 2)


@pytest.mark.parametrize("body", [b"", b"\0", bytes(range(256)), b"x" * 3_000_000])
def test_bodies_are_opaque(storage: Storage, body: bytes):
    """Any bytes come back as they were."""
    row = Row(1, 200, "run\0é", body)
    storage.append(take(storage), [row], {b"\0h": body}, barrier=False)
    assert list(storage.read("t")) == [row]
    assert storage.fetch("t", [b"\0h"])[b"\0h"] == body


@pytest.mark.parametrize(
    "thread",
    ["", " ", "a\0b", "日本語 🧵", "e\u0301", "'; DROP TABLE thread; --", "%_*?", "x" * 100_000],
    ids=["empty", "space", "nul", "unicode", "combining", "sql", "wildcards", "long"],
)
def test_any_thread_id(storage: Storage, thread: str):
    """Thread ids are compared exactly, whatever is in them."""
    near = [thread + "\0", thread + " ", thread.upper() + "A", "é"]
    for number, name in enumerate([thread, *near], 1):
        storage.append(take(storage, name), [Row(1, 1, str(number), b"")], {}, barrier=False)
    assert [row.run for row in storage.read(thread)] == ["1"]
    assert [name for name, _ in storage.landmarks()] == [thread, *near]


def test_threads_do_not_see_each_other(storage: Storage):
    """Two threads count their rows separately."""
    one, two = take(storage, "one"), take(storage, "two")
    for seq in (1, 2, 3):
        storage.append(one, rows(seq, seq, run="one"), {}, barrier=False)
        storage.append(two, rows(seq, seq, run="two"), {}, barrier=False)
    assert {row.run for row in storage.read("one")} == {"one"}
    assert list(storage.read("two")) == rows(1, 3, run="two")


def test_landmarks_across_threads_in_append_order(storage: Storage):
    """Landmarks of all threads come in the order of their appends, other rows not at all."""
    one, two = take(storage, "one"), take(storage, "two")
    storage.append(two, rows(1, 1, kind=1), {}, barrier=False)
    storage.append(one, rows(1, 2, kind=LANDMARK - 1), {}, barrier=False)
    storage.append(one, rows(3, 3, kind=LANDMARK), {}, barrier=False)
    storage.append(two, rows(2, 2, kind=3), {}, barrier=False)
    assert [(thread, row.seq, row.kind) for thread, row in storage.landmarks()] == [
        ("two", 1, 1),
        ("one", 1, LANDMARK - 1),
        ("one", 2, LANDMARK - 1),
        ("two", 2, 3),
    ]


def test_a_threads_last_landmarks(storage: Storage):
    """A thread's landmarks come newest first, as many as are asked for, before a given row."""
    one, two = take(storage, "one"), take(storage, "two")
    storage.append(one, rows(1, 1, kind=1), {}, barrier=False)
    storage.append(one, rows(2, 9, kind=LANDMARK), {}, barrier=False)
    storage.append(one, rows(10, 11, kind=LANDMARK - 1), {}, barrier=False)
    storage.append(two, rows(1, 1, kind=1), {}, barrier=False)
    first, last = rows(1, 1, kind=1), rows(10, 11, kind=LANDMARK - 1)
    assert list(storage.marks("one", 0, 9)) == [last[1], last[0], first[0]]
    assert list(storage.marks("one", 0, 2)) == [last[1], last[0]]
    assert list(storage.marks("one", 10, 9)) == first
    assert list(storage.marks("one", 1, 9)) == []
    assert list(storage.marks("nobody", 0, 9)) == []


def test_many_landmarks(storage: Storage):
    """Landmarks come once each, however many there are."""
    storage.append(take(storage), rows(1, 1500, kind=2), {}, barrier=False)
    assert [row for _, row in storage.landmarks()] == rows(1, 1500, kind=2)


def test_writing_goes_on_while_landmarks_are_read(storage: Storage):
    """A half-read list of landmarks blocks no append."""
    lease = take(storage)
    storage.append(lease, rows(1, 2, kind=1), {}, barrier=False)
    marks = storage.landmarks()
    assert next(marks) == ("t", rows(1, 1, kind=1)[0])
    storage.append(lease, rows(3, 3, kind=1), {}, barrier=True)
    assert next(marks) == ("t", rows(2, 2, kind=1)[0])


def test_blobs_are_stored_once(storage: Storage):
    """A blob that is there already is left alone."""
    lease = take(storage)
    storage.append(lease, rows(1, 1), {b"h": b"first"}, barrier=False)
    storage.append(lease, rows(2, 2), {b"h": b"second", b"i": b"new"}, barrier=False)
    storage.append(lease, [], {b"j": b"alone"}, barrier=False)
    assert dict(storage.fetch("t", [b"h", b"i", b"j"])) == {
        b"h": b"first",
        b"i": b"new",
        b"j": b"alone",
    }


def test_blobs_are_the_threads_own(storage: Storage):
    """A thread does not see another thread's blobs."""
    storage.append(take(storage, "one"), [], {b"h": b"1"}, barrier=False)
    storage.append(take(storage, "two"), [], {b"h": b"2"}, barrier=False)
    assert dict(storage.fetch("one", [b"h"])) == {b"h": b"1"}
    assert dict(storage.fetch("two", [b"h"])) == {b"h": b"2"}
    assert dict(storage.fetch("three", [b"h"])) == {}


def test_fetch_returns_what_is_there(storage: Storage):
    """Unknown hashes are left out, unasked ones too."""
    storage.append(take(storage), [], {b"%d" % n: b"data" for n in range(3)}, barrier=False)
    assert set(storage.fetch("t", {b"0", b"2", b"9"})) == {b"0", b"2"}
    assert dict(storage.fetch("t", [])) == {}


def test_delete_leaves_nothing(storage: Storage):
    """Rows, blobs, landmarks and lease of a deleted thread are gone; others stay."""
    for thread in ("gone", "kept"):
        lease = take(storage, thread)
        storage.append(lease, rows(1, 2, kind=1), {b"h": b"data"}, barrier=False)
        storage.renew(lease, 0)
    storage.delete("gone", time.time())
    storage.delete("gone", time.time())
    assert list(storage.read("gone")) == []
    assert dict(storage.fetch("gone", [b"h"])) == {}
    assert [thread for thread, _ in storage.landmarks()] == ["kept", "kept"]
    assert list(storage.read("kept")) == rows(1, 2, kind=1)
    assert take(storage, "gone").head == 0


def test_delete_of_a_driven_thread_is_refused(storage: Storage):
    """A thread that somebody drives stays as it is."""
    storage.append(take(storage), rows(1, 1), {}, barrier=False)
    with pytest.raises(ThreadBusy, match="'t' is being driven by me"):
        storage.delete("t", time.time())
    assert list(storage.read("t")) == rows(1, 1)


def test_zombie_of_a_deleted_thread_is_fenced(storage: Storage):
    """A lease from before the deletion is no good for a new thread of the same name."""
    zombie = storage.acquire("t", "zombie", ttl=1.0, now=0.0)
    storage.delete("t", time.time())
    fresh = take(storage)
    with pytest.raises(LeaseLost):
        storage.append(zombie, rows(1, 1), {}, barrier=False)
    storage.append(fresh, rows(1, 1), {}, barrier=False)


def test_eight_threads_write_at_once(storage: Storage):
    """Concurrent appends of eight threads all arrive, each thread's in order."""

    def write(number: int) -> None:
        lease = take(storage, f"t{number}")
        for seq in range(1, 201):
            blobs = {b"%d" % seq: b"blob"} if seq % 50 == 0 else {}
            storage.append(lease, rows(seq, seq), blobs, barrier=seq % 100 == 0)

    in_parallel(8, write)
    for number in range(8):
        assert list(storage.read(f"t{number}")) == rows(1, 200)
        assert len(storage.fetch(f"t{number}", [b"50", b"100", b"150", b"200"])) == 4


def test_one_callers_lost_lease_fails_nobody_else(storage: Storage):
    """Refused appends among concurrent ones are refused alone."""
    refused = threading.Barrier(4)

    def write(number: int) -> int:
        lease, lost = take(storage, f"t{number}"), 0
        stale = lease._replace(epoch=lease.epoch - 1)
        refused.wait()
        for seq in range(1, 101):
            storage.append(lease, rows(seq, seq), {}, barrier=False)
            if number % 2:
                with pytest.raises(LeaseLost):
                    storage.append(stale, rows(seq + 1, seq + 2), {b"h": b""}, barrier=False)
                lost += 1
        return lost

    assert in_parallel(4, write) == [0, 100, 0, 100]
    for number in range(4):
        assert list(storage.read(f"t{number}")) == rows(1, 100)
        assert dict(storage.fetch(f"t{number}", [b"h"])) == {}


def test_readers_see_a_prefix_while_others_write(storage: Storage):
    """A read during appends returns rows 1 to n, whole batches only."""
    lease, done = take(storage), threading.Event()

    def work(number: int) -> int:
        if number == 0:
            for seq in range(1, 300, 3):
                storage.append(lease, rows(seq, seq + 2), {}, barrier=False)
            done.set()
            return 0
        longest = 0
        while not done.is_set():
            seen = list(storage.read("t"))
            assert seen == rows(1, len(seen))
            assert len(seen) % 3 == 0
            assert len(seen) >= longest
            longest = len(seen)
        return longest

    in_parallel(3, work)
    assert list(storage.read("t")) == rows(1, 300)


def in_parallel(count: int, work: Callable[[int], object]) -> list[object]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
