"""A blob that this process stored is not written again, unless the thread may have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from durably.journal import Codec, Journal, Lease, MemoryStorage, Row
from durably.journal.records import RunEnded, Saved

BLOBS = {b"a" * 16: b"one", b"b" * 16: b"two"}


class Counting(MemoryStorage):
    """Tells which blobs each append brought."""

    def __init__(self) -> None:
        super().__init__()
        self.brought: list[set[bytes]] = []

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        super().append(lease, rows, blobs, barrier=barrier)
        self.brought.append(set(blobs))


@pytest.fixture
def storage() -> Counting:
    return Counting()


def turn(journal: Journal, blobs: Mapping[bytes, bytes], at: float) -> None:
    log = journal.take("t")
    log.append("run", Saved(at, b"x"), blobs=blobs)
    log.append("run", RunEnded("done", at, b"", []))
    log.release()


def test_what_was_written_is_not_written_again(storage: Counting) -> None:
    """In one turn and from turn to turn, only what is new is brought."""
    journal = Journal(storage, Codec())
    turn(journal, BLOBS, 1.0)
    turn(journal, {**BLOBS, b"c" * 16: b"three"}, 2.0)
    assert storage.brought[::2] == [set(BLOBS), {b"c" * 16}]


def test_another_process_in_between_makes_nothing_known(storage: Counting) -> None:
    """It may have pruned the thread."""
    journal, other = Journal(storage, Codec()), Journal(storage, Codec())
    turn(journal, BLOBS, 1.0)
    turn(other, {}, 2.0)
    turn(journal, BLOBS, 3.0)
    assert storage.brought[-2] == set(BLOBS)


def test_a_thread_that_was_deleted_and_written_anew_is_another(storage: Counting) -> None:
    """Even if it has come to the same lease and the same number of rows."""
    journal, other = Journal(storage, Codec()), Journal(storage, Codec())
    turn(journal, BLOBS, 1.0)
    storage.delete("t", 0.0)
    turn(other, {}, 2.0)
    turn(journal, BLOBS, 3.0)
    assert storage.brought[-2] == set(BLOBS)
    assert dict(storage.fetch("t", [*BLOBS])) == BLOBS


def test_a_failed_append_makes_nothing_known(
    storage: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was interrupted is brought again by the next turn."""
    journal = Journal(storage, Codec())

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    log = journal.take("t")
    with monkeypatch.context() as patch:
        patch.setattr(storage, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.append("run", Saved(1.0, b"x"), blobs=BLOBS)
    log.release()
    turn(journal, BLOBS, 2.0)
    assert storage.brought[0] == set(BLOBS)
