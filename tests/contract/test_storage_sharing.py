"""Storages that write for several threads at once; each append stands or falls by itself."""

from __future__ import annotations

import pytest

from durably.errors import JournalError, LeaseLost
from durably.storage import Append, Lease, Row, Sharing, Storage


@pytest.fixture
def sharing(storage: Storage) -> Sharing:
    if not isinstance(storage, Sharing):
        pytest.skip("this one has nothing to share")
    return storage


def take(storage: Storage, thread: str) -> Lease:
    return storage.acquire(thread, f"me#{thread}", 30.0, 1000.0)


def rows(first: int, last: int) -> list[Row]:
    return [Row(seq, 20, "run", b"%d" % seq) for seq in range(first, last + 1)]


def test_appends_to_several_threads_are_written(storage: Storage, sharing: Sharing) -> None:
    """Each thread has its rows and its blobs."""
    appends = [
        Append(take(storage, "a"), rows(1, 1), {}, barrier=False),
        Append(take(storage, "b"), rows(1, 3), {b"h": b"data"}, barrier=True),
        Append(take(storage, "c"), rows(1, 2), {}, barrier=False),
    ]
    assert list(sharing.append_all(appends)) == [None, None, None]
    assert [len(storage.read(name)) for name in "abc"] == [1, 3, 2]
    assert storage.fetch("b", [b"h"]) == {b"h": b"data"}


def test_what_is_refused_harms_nobody_else(storage: Storage, sharing: Sharing) -> None:
    """A lost lease and a gap are those appends' own errors; the others are written."""
    lost = take(storage, "lost")
    storage.renew(lost, 0)
    gap = take(storage, "gap")
    outcomes = sharing.append_all(
        [
            Append(take(storage, "a"), rows(1, 1), {}, barrier=False),
            Append(lost, rows(1, 1), {}, barrier=False),
            Append(gap, [*rows(1, 1), *rows(3, 3)], {b"h": b"data"}, barrier=False),
            Append(take(storage, "b"), rows(1, 2), {b"h": b"data"}, barrier=False),
        ]
    )
    assert [type(one) for one in outcomes][::3] == [type(None), type(None)]
    assert isinstance(outcomes[1], LeaseLost)
    assert isinstance(outcomes[2], JournalError)
    assert not isinstance(outcomes[2], LeaseLost)
    assert [len(storage.read(name)) for name in ("a", "lost", "gap", "b")] == [1, 0, 0, 2]
    storage.append(gap, rows(1, 1), {}, barrier=False)


def test_several_appends_to_one_thread_are_in_order(storage: Storage, sharing: Sharing) -> None:
    """They are written as if one had been made after the other."""
    lease = take(storage, "t")
    appends = [Append(lease, rows(seq, seq), {}, barrier=False) for seq in (1, 2, 3)]
    assert list(sharing.append_all(appends)) == [None, None, None]
    assert list(storage.read("t")) == rows(1, 3)


def test_nothing_to_append_is_no_error(sharing: Sharing) -> None:
    """An empty batch is written at once."""
    assert list(sharing.append_all([])) == []
