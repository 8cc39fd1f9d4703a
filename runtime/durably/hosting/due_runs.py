"""Waiting runs: which of them are due, since a time has come or everybody has answered."""

from __future__ import annotations

from ..journal import Journal
from ..types import RunView
from .host import Host
from .people.inbox import Inbox
from .run_views import all_runs


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


def decided(host: Host, now: float) -> list[RunView]:
    """Return the runs that waited for people and need not any more.

    Every question is answered, or one is past its deadline and has a default. Runs of applications
    are not among them: nobody but the application can continue these.
    """
    overdue = {
        one.run
        for one in Inbox(host).pending()
        if one.default is not None and one.expires_at is not None and now >= one.expires_at
    }
    return [
        view
        for view in all_runs(host.journal)
        if view.status == "waiting"
        and view.wake is None
        and view.meta.get("again")
        and (not view.open or view.run in overdue)
    ]
