"""``durably prune`` forgets threads whose runs are over, and no others."""

from __future__ import annotations

import pytest

PROGRAM = """
import sys
from durably import Host, entrypoint, interrupt, task

@task
def fetch(n):
    return "page " * 20_000 + n

@entrypoint(checkpointer=Host())
def flow(what):
    fetch(what).result()
    if what == "asks":
        interrupt("Go?")
    if what == "fails":
        raise ValueError("no tea")

for what in ("done", "fails", "asks"):
    try:
        flow.invoke(what, {"configurable": {"thread_id": what}})
    except ValueError:
        pass
"""


@pytest.fixture
def ran(place):
    """A place with a thread that is done, one that failed and one that waits."""
    place.write("many.py", PROGRAM)
    assert place.python("many.py").returncode == 0
    return place


def threads(place):
    return [one["thread"] for one in place.json("runs")["runs"]]


def test_what_is_done_is_forgotten(ran):
    """Failed threads can still be continued, and those that wait have to be."""
    assert ran.json("prune", "--older-than", "1ms")["threads"] == ["done"]
    assert threads(ran) == ["asks", "fails"]


def test_failed_threads_are_forgotten_if_one_says_so(ran):
    """With ``--failed`` only what waits is kept."""
    said = ran.durably("prune", "--older-than", "1ms", "--failed")
    assert said.stdout.startswith("2 threads forgotten")
    assert threads(ran) == ["asks"]


def test_what_ended_a_moment_ago_is_kept(ran):
    """The age counts from the end of a thread's last run."""
    assert ran.json("prune", "--older-than", "1d", "--failed")["threads"] == []
    assert len(threads(ran)) == 3


def test_a_dry_run_changes_nothing(ran):
    """It names the threads."""
    said = ran.durably("prune", "--older-than", "1ms", "--dry-run")
    assert said.stdout.splitlines()[0] == "done"
    assert "would be forgotten" in said.stdout
    assert len(threads(ran)) == 3


def test_the_latest_run_can_be_kept(ran):
    """A thread with a history keeps its last finished run."""
    assert ran.python("many.py").returncode == 0
    assert ran.durably("prune", "--older-than", "1ms", "--keep-latest").returncode == 0
    assert threads(ran).count("done") == 1


def test_an_age_that_is_none_is_refused(ran):
    """The error says how ages are written."""
    said = ran.durably("prune", "--older-than", "soon")
    assert said.returncode == 2
    assert "write" in said.stderr
    assert len(threads(ran)) == 3


def test_without_a_journal_there_is_nothing_to_forget(place):
    """It says so, and makes none."""
    assert "0 threads" in place.durably("prune", "--older-than", "1d").stdout
    assert not (place.path / ".durably").exists()
