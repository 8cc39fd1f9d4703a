"""Runs as the journal tells them: a fold over the landmarks."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from ..errors import ThreadBusy, UnknownRun
from ..journal import Journal
from ..journal.records import (
    SUPERSEDED,
    Answered,
    Asked,
    Entry,
    RunEnded,
    RunResumed,
    RunStarted,
    RunWaiting,
)
from ..types import RunView, Status

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 10
_STATUSES: dict[str, Status] = {
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    SUPERSEDED: "superseded",
}


def new_run_id() -> str:
    """Return a run id: ten characters of Crockford's base 32, at random."""
    number = secrets.randbits(5 * _LENGTH)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 5 * _LENGTH, 5))


def fold(placed: Iterable[tuple[str, Entry]]) -> dict[str, RunView]:
    """Return the runs that records of one or many threads tell of, by id, oldest first."""
    views: dict[str, RunView] = {}
    for thread, entry in placed:
        record = entry.record
        if isinstance(record, RunStarted):
            views[entry.run] = RunView(
                run=entry.run,
                thread=thread,
                entry=record.entry,
                started=record.at,
                request=record.request,
                meta=record.meta,
            )
        elif entry.run in views:
            _take(views[entry.run], record)
    return views


def _take(view: RunView, record: object) -> None:
    if isinstance(record, RunResumed):
        # Its open questions stay: the process may die before it comes to them again.
        view.status, view.ended, view.error, view.wake = "stopped", None, "", None
        view.successor = ""
    elif isinstance(record, RunEnded):
        view.status = _STATUSES.get(record.status, "failed")
        view.ended, view.error, view.open = record.at, record.message, []
        if record.status == SUPERSEDED:
            view.successor, view.wake = record.successor, None
            view.error = f"{record.message}; run {record.successor} took its place"
    elif isinstance(record, RunWaiting):
        view.status, view.open = "waiting", list(record.open)
        view.wake, view.error = record.wake, record.why
    elif isinstance(record, Asked):
        if record.id not in view.open:  # else it is asked in other words, or for longer
            view.open = [*view.open, record.id]
    elif isinstance(record, Answered):
        view.open = [one for one in view.open if one != record.id]


def all_runs(journal: Journal) -> list[RunView]:
    """Return every run in the journal, oldest first; live ones are told from dead ones."""
    views = list(fold(journal.landmarks()).values())
    for view in views:
        if view.status in ("stopped", "waiting") and _is_driven(journal, view.thread):
            view.status = "running"
    return views


def _is_driven(journal: Journal, thread: str) -> bool:
    try:
        journal.busy(thread)
    except ThreadBusy:
        return True
    return False


def find_run(journal: Journal, wanted: str) -> RunView:
    """Return the run whose id is, or uniquely begins with, *wanted*.

    Raises:
        UnknownRun: There is none, or there are several.
    """
    views = all_runs(journal)
    found = [view for view in views if view.run == wanted] or [
        view for view in views if wanted and view.run.startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(view.run for view in found)
        raise UnknownRun(f"{wanted!r} may be any of {several}; give more of the id.")
    raise UnknownRun(f"the journal has no run {wanted!r}; `durably runs` lists those it has.")
