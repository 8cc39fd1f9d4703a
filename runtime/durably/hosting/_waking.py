"""Parked runs: which of them are due."""

from __future__ import annotations

from ..journal import Journal
from ..types import RunView
from ._runs import all_runs


def parked(journal: Journal) -> list[RunView]:
    """Return the runs that wait for a time, those that wake first in front."""
    found = [view for view in all_runs(journal) if view.status == "waiting" and view.wake]
    return sorted(found, key=lambda view: view.wake or 0.0)


def is_due(view: RunView, now: float) -> bool:
    """Say whether a parked run is to go on.

    A clock that stands before the run's own beginning was set back since; what it would wait for
    may never come, so the run is due.
    """
    return view.wake is not None and (now >= view.wake or now < view.started)
