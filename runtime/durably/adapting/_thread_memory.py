"""What a thread keeps for the next run of the same entry: a wrapped object's conversation."""

from __future__ import annotations

from typing import Any

from ..engine import Run
from ..journal.records import RunStarted, Saved


def recall(run: Run) -> Any:
    """Return what :func:`remember` kept in the thread before *run* began, or None.

    It is what the last run of the same entry kept, in whichever process that run was driven. A
    fork begins with what was kept before the moment that it begins from.

    Args:
        run: The run, new or continued: the value is the same in every process.
    """
    if run.log is None or run.log.was_empty:
        return None
    before = 0
    for entry in run.log.marks():
        record = entry.record
        if entry.seq < before:
            if isinstance(record, Saved) and record.lane == run.info.entry:
                return run.log.value(record.value)
        elif entry.run == run.id and isinstance(record, RunStarted):
            before = int(record.meta.get("memory_before", entry.seq))
    return None


def remember(run: Run, value: Any) -> None:
    """Keep *value* in the thread for the next run of this run's entry.

    Call it when the run's work is done; a run that waits or fails keeps nothing.

    Raises:
        EncodeError: The value cannot be written.
    """
    if run.log is None or run.stopping:
        return
    body, blobs = run.codec.split(value)
    run.append(Saved(run.clock.now(), body, run.info.entry), blobs=blobs)
