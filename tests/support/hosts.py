"""Hosts on one journal, as processes that come one after the other, and what it holds of steps."""

from __future__ import annotations

import pytest

import durably
from durably.hosting import all_runs
from durably.journal.records import StepEnded


@pytest.fixture
def hosted():
    """Return a function that makes a host; hosts share one journal, as processes do."""
    storage, hosts = durably.MemoryStorage(), []

    def make(**options):
        hosts.append(durably.Host(storage, config=False, **options))
        return hosts[-1]

    yield make
    for one in hosts:
        one.close()


def steps_in(host, kind="model"):
    """Return the recorded steps of a kind, oldest first."""
    return [
        entry.record
        for view in all_runs(host.journal)
        for entry in host.journal.read(view.thread)
        if isinstance(entry.record, StepEnded) and entry.record.kind == kind
    ]
