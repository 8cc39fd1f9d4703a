"""Copying a thread, and forgetting the older part of one."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import JournalError
from .codec.blob_writer import gather
from .codec.compression import restored, stored
from .leases.process_identity import owner_id
from .question_ids import with_copied_ids
from .records import Entry, Record, RunEnded, RunStarted, from_row, to_row
from .storage import Lease, Row, Storage

_TTL = 30.0


class Rewriting(Storage, Protocol):
    """A storage that can put other rows in the place of a thread's, at once."""

    def rewrite(self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes]) -> None:
        """Replace everything the thread holds, all or nothing, and sync it.

        Raises:
            LeaseLost: The thread has changed hands; nothing was written.
        """
        ...


def copy_thread(storage: Storage, source: str, target: str, now: float) -> None:
    """Copy everything that a thread holds to a new thread; runs and questions get new ids.

    Args:
        storage: Where both are.
        source: The thread to copy; an unknown one copies nothing.
        target: The new thread.
        now: Seconds since the epoch.

    Raises:
        ThreadBusy: Somebody is driving the target.
        JournalError: The target is not empty.
    """
    entries = [from_row(source, row) for row in storage.read(source)]
    if not entries:
        return
    lease = storage.acquire(target, f"{owner_id()}#copy", _TTL, now)
    try:
        if lease.head:
            raise JournalError(
                f"thread {target!r} holds {lease.head} rows; copy to a thread that is new, or "
                "delete that one first"
            )
        runs = {one.run: secrets.token_hex(5) if one.run else "" for one in entries}
        rows = [to_row(target, one.seq, runs[one.run], _copied(one, runs)) for one in entries]
        storage.append(lease, rows, _blobs(storage, source, rows), barrier=True)
    finally:
        storage.renew(lease, 0)


def _copied(entry: Entry, runs: Mapping[str, str]) -> Record:
    """Return a record as a copy of its thread holds it.

    Args:
        entry: The record.
        runs: The ids of the thread's runs in the copy, by those in the thread.
    """
    record = entry.record
    if isinstance(record, RunEnded) and record.successor:
        return record._replace(successor=runs.get(record.successor, ""))
    return with_copied_ids(runs[entry.run], record)


def keep_latest(storage: Rewriting, thread: str, now: float) -> int:
    """Forget what a thread holds from before its last finished run.

    Its memory, its state and an unfinished run stay as they are; its earlier history is gone.

    Returns:
        How many rows were forgotten.

    Raises:
        ThreadBusy: Somebody is driving the thread.
    """
    lease = storage.acquire(thread, f"{owner_id()}#prune", _TTL, now)
    try:
        entries = [from_row(thread, row) for row in storage.read(thread)]
        gone = _first_kept(entries) - 1
        if gone > 0:
            kept = [_moved(one.record, gone) for one in entries[gone:]]
            rows = [
                to_row(thread, seq, one.run, record)
                for seq, (one, record) in enumerate(zip(entries[gone:], kept, strict=True), 1)
            ]
            storage.rewrite(lease, rows, _blobs(storage, thread, rows))
        return max(0, gone)
    finally:
        storage.renew(lease, 0)


def _first_kept(entries: Sequence[Entry]) -> int:
    """Return the row with which the last finished run begins; 1 if none is finished."""
    done = {
        one.run
        for one in entries
        if isinstance(one.record, RunEnded) and one.record.status == "done"
    }
    starts = [one.seq for one in entries if isinstance(one.record, RunStarted) and one.run in done]
    return max(starts, default=1)


def _moved(record: Record, gone: int) -> Record:
    """Return *record* with the rows that it names moved down by *gone*."""
    if isinstance(record, RunEnded):
        return record._replace(causes=[seq - gone for seq in record.causes if seq > gone])
    if isinstance(record, RunStarted) and "memory_before" in record.meta:
        before = max(1, int(record.meta["memory_before"]) - gone)
        return record._replace(meta={**record.meta, "memory_before": before})
    return record


def _blobs(storage: Storage, thread: str, rows: Iterable[Row]) -> Mapping[bytes, bytes]:
    """Return every blob of *thread* that *rows* need, as it is kept."""

    def fetch(hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        return restored(thread, storage.fetch(thread, hashes))

    found: dict[bytes, bytes] = {}
    for row in rows:
        found.update(gather(row.body, fetch))
    return stored(found)
