"""What the commands say of a run that was given up: in one process asked, in another begun anew."""

from __future__ import annotations

import pytest

APPLICATION = """
import sys
from durably import entrypoint, interrupt

@entrypoint(checkpointer="sqlite:///.durably/journal.db")
def flow(order):
    return f"{order}: " + interrupt({"message": f"Refund {order}?"})

print(flow.invoke(sys.argv[1], {"configurable": {"thread_id": "ticket-7"}}))
"""


@pytest.fixture
def twice(place):
    """A place in which one process asked about one order, and the next one about another."""
    place.write("application.py", APPLICATION)
    for order in ("first", "second"):
        (place.path / ".durably").mkdir(exist_ok=True)
        done = place.python("application.py", order)
        assert done.returncode == 0, done.stderr
    return place


def test_the_run_and_its_successor_are_told(twice):
    """`durably runs` and `show` say which run took the place of the one that was given up."""
    new, old = twice.json("runs")["runs"]
    assert (new["status"], old["status"]) == ("waiting", "superseded")
    assert old["error"] == f"the thread got a new input; run {new['run']} took its place"
    assert {*new} == {*old}
    assert old["waiting_for"] == []
    assert "superseded" in twice.durably("runs").stdout
    shown = twice.json("show", old["run"])
    assert (shown["status"], shown["error"]) == (old["status"], old["error"])
    assert [one["open"] for one in shown["questions"]] == [False]
    text = twice.durably("show", old["run"]).stdout
    assert f"given up: run {new['run']} took this run's place" in text
    assert f"the thread continues with run {new['run']}: durably show {new['run']}" in text
    assert "continue with" not in text


def test_approvals_lists_what_waits_and_says_what_was_given_up(twice):
    """The question of the run that was given up is not among those that can be answered."""
    new, old = twice.json("runs")["runs"]
    [question] = twice.json("approvals")["questions"]
    assert (question["run"], question["message"]) == (new["run"], "Refund second?")
    lines = twice.durably("approvals").stdout.splitlines()
    assert "1 question given up, since a newer run took over:" in lines
    assert f"run {old['run']} is superseded by run {new['run']}" in lines[-1]
    assert "Refund first?" in lines[-1]


def test_an_answer_to_the_old_question_is_refused(twice):
    """The message names both runs; the question that waits takes its answer as before."""
    new, old = twice.json("runs")["runs"]
    [before] = twice.json("show", old["run"])["questions"]
    refused = twice.durably("respond", before["id"], "yes")
    assert refused.returncode != 0
    assert f"run {old['run']} is superseded" in refused.stderr
    assert f"durably show {new['run']}" in refused.stderr
    [question] = twice.json("approvals")["questions"]
    assert twice.durably("respond", question["id"], "yes").returncode == 0
    assert twice.json("show", old["run"])["questions"][0]["answer"] is None


def test_tail_follows_the_run_that_took_over(twice):
    """A thread is followed in its newest run."""
    new, _ = twice.json("runs")["runs"]
    told = twice.durably("tail", "ticket-7")
    assert told.returncode == 75
    assert new["run"] in told.stdout
