"""What every storage does about who may write."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably.errors import LeaseLost, ThreadBusy
from durably.journal.leases.process_identity import owner_id
from durably.journal.storage import Row, Storage

ROW = Row(1, 1, "run", b"body")
NEXT = Row(2, 1, "run", b"body")


def test_held_thread_is_busy(storage: Storage):
    """A second owner is refused and told who holds the thread and what to do."""
    storage.acquire("t", "first", ttl=10, now=100)
    with pytest.raises(ThreadBusy, match=r"thread 't' is being driven by first\. Wait") as caught:
        storage.acquire("t", "second", ttl=10, now=109.9)
    assert (caught.value.thread, caught.value.owner) == ("t", "first")


def test_busy_error_names_host_and_pid(storage: Storage):
    """Of an owner made from a process, people see host and pid only."""
    storage.acquire("t", f"{owner_id()}#1", ttl=10, now=100)
    with pytest.raises(ThreadBusy) as caught:
        storage.acquire("t", f"{owner_id()}#2", ttl=10, now=100)
    assert caught.value.owner == owner_id().partition("/")[0]


def test_lease_runs_out(storage: Storage):
    """At the end of its time a lease may be taken by another owner, with the next epoch."""
    first = storage.acquire("t", "first", ttl=10, now=100)
    second = storage.acquire("t", "second", ttl=10, now=110)
    assert second == ("t", "second", first.epoch + 1, 0)


def test_stale_lease_is_fenced(storage: Storage):
    """After a change of hands the old owner's appends are refused, the new owner's accepted."""
    stale = storage.acquire("t", "zombie", ttl=10, now=100)
    storage.append(stale, [ROW], {}, barrier=False)
    fresh = storage.acquire("t", "heir", ttl=10, now=200)
    assert fresh.head == 1
    for rows in ([NEXT], [NEXT, Row(3, 1, "run", b"")]):
        with pytest.raises(LeaseLost, match=r"thread 't' is now driven by heir.*run again"):
            storage.append(stale, rows, {b"h": b"data"}, barrier=True)
        with pytest.raises(LeaseLost):
            storage.append(stale, rows, {}, barrier=False)
    assert list(storage.read("t")) == [ROW]
    assert dict(storage.fetch("t", [b"h"])) == {}
    storage.append(fresh, [NEXT], {}, barrier=False)


def test_expired_lease_that_nobody_took_still_writes(storage: Storage):
    """Fencing goes by epoch: a late owner that lost nothing may go on."""
    lease = storage.acquire("t", "me", ttl=1, now=100)
    storage.append(lease, [ROW], {}, barrier=False)
    storage.renew(lease, 300)
    with pytest.raises(ThreadBusy):
        storage.acquire("t", "other", ttl=10, now=299)


def test_renewed_lease_holds_longer(storage: Storage):
    """Renewing moves the end of a lease, in either direction."""
    lease = storage.acquire("t", "me", ttl=10, now=100)
    storage.renew(lease, 200)
    with pytest.raises(ThreadBusy):
        storage.acquire("t", "other", ttl=10, now=199)
    storage.renew(lease, 150)
    assert storage.acquire("t", "other", ttl=10, now=150).epoch == lease.epoch + 1


def test_lost_lease_cannot_be_renewed(storage: Storage):
    """Renewing after a change of hands is an error; giving back is not, and frees nothing."""
    stale = storage.acquire("t", "zombie", ttl=10, now=100)
    storage.acquire("t", "heir", ttl=10, now=200)
    with pytest.raises(LeaseLost, match="heir"):
        storage.renew(stale, 300)
    storage.renew(stale, 0)
    with pytest.raises(ThreadBusy, match="heir"):
        storage.acquire("t", "third", ttl=10, now=201)


def test_lease_of_a_deleted_thread_is_lost(storage: Storage):
    """With the thread gone its lease can neither write nor be renewed."""
    lease = storage.acquire("t", "me", ttl=1, now=0)
    storage.delete("t", now=50)
    with pytest.raises(LeaseLost, match="released or deleted"):
        storage.renew(lease, 100)
    with pytest.raises(LeaseLost, match="released or deleted"):
        storage.append(lease, [ROW], {}, barrier=False)
    storage.renew(lease, 0)


def test_released_thread_is_free(storage: Storage):
    """A lease that was given back can be taken at once and no longer writes."""
    first = storage.acquire("t", "first", ttl=1000, now=100)
    storage.renew(first, 0)
    with pytest.raises(LeaseLost):
        storage.append(first, [ROW], {}, barrier=False)
    assert storage.acquire("t", "second", ttl=10, now=101).epoch == first.epoch + 1


def test_released_thread_taken_again_has_a_new_epoch(storage: Storage):
    """What was given back is fenced even if the same owner takes the thread again."""
    first = storage.acquire("t", "me", ttl=10, now=100)
    storage.renew(first, 0)
    again = storage.acquire("t", "me", ttl=10, now=101)
    assert again.epoch == first.epoch + 1
    with pytest.raises(LeaseLost):
        storage.append(first, [ROW], {}, barrier=False)


def test_same_owner_takes_again(storage: Storage):
    """The owner itself is never busy, keeps its epoch and both leases write."""
    first = storage.acquire("t", "me", ttl=10, now=100)
    again = storage.acquire("t", "me", ttl=50, now=105)
    assert again == first
    storage.append(first, [ROW], {}, barrier=False)
    storage.append(again, [NEXT], {}, barrier=False)
    with pytest.raises(ThreadBusy):
        storage.acquire("t", "other", ttl=10, now=154)


def test_two_runs_of_one_process_exclude_each_other(storage: Storage):
    """Owners that differ in their suffix only are different owners, both alive."""
    storage.acquire("t", f"{owner_id()}#1", ttl=10, now=100)
    with pytest.raises(ThreadBusy):
        storage.acquire("t", f"{owner_id()}#2", ttl=10, now=100)


def test_thread_of_a_killed_process_is_free(storage: Storage):
    """The lease of a process that was killed need not run out."""
    code = (
        "from durably.journal.leases.process_identity import owner_id; "
        "print(owner_id(), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as process:
        owner = process.stdout.readline().strip() + "#1"
        storage.acquire("t", owner, ttl=1000, now=100)
        with pytest.raises(ThreadBusy):
            storage.acquire("t", "heir", ttl=10, now=101)
        process.kill()
    heir = storage.acquire("t", "heir", ttl=10, now=101)
    assert heir.epoch == 2


def test_only_one_of_many_gets_the_thread(storage: Storage):
    """Of eight owners that ask at once, one gets the thread and seven are told its name."""

    def ask(number: int) -> str:
        try:
            return "got " + storage.acquire("t", f"owner{number}", ttl=10, now=100).owner
        except ThreadBusy as busy:
            return busy.owner

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    (winner,) = [answer.removeprefix("got ") for answer in answers if answer.startswith("got ")]
    assert answers.count(winner) == 7


def test_stale_owner_among_many_writers(storage: Storage):
    """While a thread changes hands, every row is written by exactly the owner of its epoch."""
    zombie = storage.acquire("t", "zombie", ttl=10, now=100)

    def write(owner: str) -> int:
        lease = zombie if owner == "zombie" else storage.acquire("t", owner, ttl=10, now=200)
        written = 0
        for seq in range(lease.head + 1, lease.head + 101):
            try:
                storage.append(lease, [Row(seq, 20, owner, b"")], {}, barrier=False)
            except LeaseLost:
                break
            written += 1
        return written

    with ThreadPoolExecutor(2) as pool:
        early, late = pool.map(write, ["zombie", "heir"])
    expected = ["zombie"] * early + ["heir"] * late
    assert [row.run for row in storage.read("t")] == expected
    assert late == 100


def test_asking_changes_nothing(storage: Storage):
    """With a ttl of 0 a held thread is told busy; free and unknown ones are left alone."""
    lease = storage.acquire("t", "me", ttl=10, now=100)
    with pytest.raises(ThreadBusy):
        storage.acquire("t", "other", ttl=0, now=105)
    assert storage.acquire("t", "other", ttl=0, now=200).owner == "other"
    storage.append(lease, [ROW], {}, barrier=False)  # run out, but nobody took it
    assert storage.acquire("new", "other", ttl=0, now=0)[2:] == (0, 0)
    assert storage.acquire("new", "me", ttl=10, now=0).epoch == 1
