"""``durably tail`` follows a run that another process drives, and ends as the run does."""

from __future__ import annotations

import json
import subprocess

import pytest

AGENTS = "from tinyframe import Agent\nprint(Agent().turn('one'))\n"
ASKS = """
from durably import entrypoint, interrupt, task

@task
def look(word):
    return word

@entrypoint()
def flow(word):
    return look(word).result() + interrupt({"message": "Go on?"})

flow.invoke("tea")
"""


@pytest.fixture
def ran(tiny):
    """A place whose journal holds a run on the thread "first"."""
    tiny.write("agents.py", AGENTS)
    assert tiny.durably("run", "-q", "--thread", "first", "agents.py").returncode == 0
    return tiny


def test_a_run_that_begins_later_is_followed_to_its_end(ran):
    """Each step has the line that the run itself would write."""
    command = [*ran.command(), "tail", "later", "--timeout", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ran.path, env=ran.environment()
    ) as tail:
        written = ran.durably("run", "--thread", "later", "agents.py").stderr
        followed, _ = tail.communicate(timeout=60)
    assert tail.returncode == 0
    steps = [line.split()[:3] for line in followed.splitlines() if "✓" in line]
    assert steps == [line.split()[:3] for line in written.splitlines() if "✓" in line]
    assert len(steps) == 2
    assert "done in" in followed.splitlines()[-1]


def test_a_run_that_is_over_is_told_whole(ran):
    """By its thread, or by its own id."""
    run = ran.json("runs")["runs"][0]["run"]
    told = [ran.durably("tail", name) for name in ("first", run, run[:6])]
    assert [one.returncode for one in told] == [0, 0, 0]
    assert {one.stdout for one in told} == {told[0].stdout}
    assert run in told[0].stdout


def test_a_run_that_waits_ends_it_with_the_question(ran):
    """The exit code is that of `durably run`, and the answer is a line away."""
    ran.write("asks.py", ASKS)
    ran.durably("run", "-q", "--thread", "asking", "asks.py")
    told = ran.durably("tail", "asking")
    assert told.returncode == 75
    assert "waiting for 1 answer" in told.stdout
    assert "durably respond" in told.stdout.splitlines()[-1]


def test_a_run_that_failed_ends_it_with_the_error(ran):
    """The exit code is 1."""
    ran.write("fail.py", "raise ValueError('no tea')\n")
    ran.durably("run", "-q", "--thread", "failing", "fail.py")
    told = ran.durably("tail", "failing")
    assert told.returncode == 1
    assert "ValueError: no tea" in told.stdout.splitlines()[-1]


def test_each_record_is_an_object_on_a_line(ran):
    """With ``--json``, for programs that read along."""
    told = [json.loads(line) for line in ran.durably("tail", "first", "--json").stdout.splitlines()]
    assert {one["v"] for one in told} == {1}
    assert [one["what"] for one in told] == ["started", "step", "began", "step", "ended"]
    assert [one["name"] for one in told[1:4]] == ["tiny-1", "use", "use"]
    rows = [one["row"] for one in told]
    assert rows == sorted(rows)
    assert told[-1]["status"] == "done"


def test_silence_can_be_too_long(ran):
    """A thread that never begins is given up, if that was asked for."""
    told = ran.durably("tail", "nobody", "--timeout", "0.1")
    assert told.returncode == 1
    assert "thread 'nobody': nothing new for 0.1 seconds" in told.stderr
