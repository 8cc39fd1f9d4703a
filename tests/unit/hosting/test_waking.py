"""Parked runs: when they are due, whatever the clock does."""

from __future__ import annotations

import pytest

from durably import RunView
from durably.hosting import is_due


@pytest.mark.parametrize(
    ("now", "due"),
    [(1000.0, False), (1059.9, False), (1060.0, True), (99_999.0, True), (999.0, True)],
)
def test_a_parked_run_is_due_from_its_time_on(now, due):
    """A clock that was set back to before the run began makes it due: its time may never come."""
    view = RunView(run="r", thread="t", entry="e", started=1000.0, wake=1060.0)
    assert is_due(view, now) is due


def test_a_run_that_waits_for_a_person_is_never_due():
    """Time alone does not answer a question."""
    assert not is_due(RunView(run="r", thread="t", entry="e", started=0.0), 1e12)
