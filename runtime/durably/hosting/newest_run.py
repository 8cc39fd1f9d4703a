"""The newest run of a thread that is held, and the record by which another one takes its place."""

from __future__ import annotations

from ..journal import ThreadLog
from ..journal.records import SUPERSEDED, Entry, RunEnded, RunStarted
from ..types import RunView
from .run_views import fold


def newest_run(log: ThreadLog) -> RunView | None:
    """Return the newest run of a thread, or None if it has none."""
    told: list[tuple[str, Entry]] = []
    for entry in log.marks():
        told.append((log.thread, entry))
        if isinstance(entry.record, RunStarted):
            return fold(reversed(told))[entry.run]
    return None


def given_up(log: ThreadLog, successor: str, why: str, now: float) -> tuple[str, RunEnded] | None:
    """Return a thread's unfinished run and the record that gives it up; None if it has none.

    A run that failed has ended; its error stays what is told of it.

    Args:
        log: The thread.
        successor: The run that takes its place.
        why: What happened to the thread.
        now: Seconds since the epoch.
    """
    last = None if log.was_empty else newest_run(log)
    if last is None or last.status not in ("stopped", "waiting"):
        return None
    return last.run, RunEnded(SUPERSEDED, now, b"", [], why, successor)
