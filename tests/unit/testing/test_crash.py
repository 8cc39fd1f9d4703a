"""Kills at chosen moments, in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from durably.testing import crash_matrix, kill_at, kills_asked_for

FLOW = """
import sys
from durably import Host, Listener, SqliteStorage, entrypoint, task
from durably.testing import KillAfter, KillingStorage, kill_at

@task
def work(n):
    with open("work.txt", "a") as log:
        log.write(f"{n}\\n")
    return n

def flow(_):
    return [work(n).result() for n in range(3)]

host = HOST
entrypoint(checkpointer=host)(flow).invoke(1, {"configurable": {"thread_id": "t"}})
"""


@pytest.fixture
def lived(tmp_path):
    """Run the flow with a host of the given making; return its exit code, steps done and kept."""

    def run(host):
        script = tmp_path / "flow.py"
        script.write_text(FLOW.replace("HOST", host))
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=tmp_path,
            timeout=60,
            capture_output=True,
            check=False,
        )
        kept = subprocess.run(
            [sys.executable, "-c", KEPT], cwd=tmp_path, timeout=60, capture_output=True, check=True
        )
        worked = (tmp_path / "work.txt").read_text().split()
        return done.returncode, len(worked), int(kept.stdout), done.stderr.decode()

    return run


KEPT = """
from durably import SqliteStorage
print(sum(row.kind == 16 for row in SqliteStorage("runs.db").read("t")))
"""


@pytest.mark.parametrize(
    ("host", "worked", "kept"),
    [
        ("Host('sqlite:///runs.db', listeners=[KillAfter(2)])", 2, 2),
        ("Host('sqlite:///runs.db', plugins=[kill_at(1)])", 1, 1),
        ("Host('sqlite:///runs.db', plugins=[kill_at(2, when='before')])", 2, 1),
        ("Host(KillingStorage(SqliteStorage('runs.db'), 3))", 2, 1),
        ("Host(KillingStorage(SqliteStorage('runs.db'), 3, only_steps=True))", 3, 2),
    ],
)
def test_the_process_dies_where_it_was_told_to(lived, host, worked, kept):
    """After the record: as many steps kept as done. Before it: one less."""
    code, done, on_disk, _ = lived(host)
    assert (code, done, on_disk) == (-signal.SIGKILL, worked, kept)


def test_a_step_beyond_the_last_kills_nothing(lived):
    """A number larger than the run's steps leaves the run alone."""
    code, done, kept, errors = lived("Host('sqlite:///runs.db', plugins=[kill_at(4)])")
    assert (code, done, kept) == (0, 3, 3), errors


def test_steps_are_counted_from_one():
    """Zero would never kill, and a crash test that never crashes proves nothing."""
    with pytest.raises(ValueError, match="counted from 1"):
        kill_at(0)


def test_the_environment_is_obeyed_only_in_tests():
    """DURABLY_TEST=1 arms the other two variables."""
    asked = {"DURABLY_TEST_KILL_AFTER": "3"}
    assert kills_asked_for(asked) == []
    assert kills_asked_for({**asked, "DURABLY_TEST": "0"}) == []
    assert len(kills_asked_for({**asked, "DURABLY_TEST": "1"})) == 1
    with pytest.raises(ValueError, match="soon"):
        kills_asked_for({"DURABLY_TEST": "1", "DURABLY_TEST_KILL_BEFORE": "soon"})


DIES_TWICE = """
import os, signal, sys
print("try", flush=True)
with open("tries", "a") as tries:
    tries.write(os.environ.get("DURABLY_TEST_KILL_BEFORE", "-") + "\\n")
if len(open("tries").readlines()) < 3:
    os.kill(os.getpid(), signal.SIGKILL)
print("end", file=sys.stderr)
sys.exit(5)
"""


@pytest.mark.parametrize(("when", "asked"), [("after", ["-", "-", "-"]), ("both", ["1", "-", "1"])])
def test_a_command_is_run_until_it_ends_by_itself(tmp_path, when, asked):
    """The report holds the kills, and what the last process left."""
    report = crash_matrix([sys.executable, "-c", DIES_TWICE], cwd=tmp_path, when=when)
    assert (report.kills, report.returncode) == (2, 5)
    assert (report.stdout, report.stderr) == ("try\n", "end\n")
    assert (tmp_path / "tries").read_text().split() == asked


def test_a_command_that_never_ends_by_itself_is_given_up(tmp_path):
    """The bound on kills is an error that shows what the command said last."""
    dies = "import os, sys; print('why', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
    with pytest.raises(AssertionError, match="why"):
        crash_matrix([sys.executable, "-c", dies], cwd=tmp_path, max_kills=2)


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path):
    """The time-out ends the whole process group, so that nothing is left behind."""
    hangs = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('child', 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        crash_matrix([sys.executable, "-c", hangs], cwd=tmp_path, timeout=2)
    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 10
    while not is_gone(child) and time.monotonic() < until:
        time.sleep(0.01)  # the signal is on its way: it is sent to the group, the leader is awaited
    assert is_gone(child)


def is_gone(pid):
    """Say whether a process has ended; a zombie that nobody reaps has."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (ProcessLookupError, FileNotFoundError):
        return True
