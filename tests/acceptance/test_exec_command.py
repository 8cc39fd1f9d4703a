"""``durably exec``: the program that another command starts is durable, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from tests.support.commands import TIMEOUT

AGENTS = """
import os, sys
from tinyframe import Agent
print("begin", sys.argv[1:], "DURABLY_EXEC" in os.environ, flush=True)
for word in ["one", "two"]:
    print(Agent().turn(word))
"""

LAUNCHER = """
import subprocess, sys, tinyframe
print("launching", flush=True)
try:
    subprocess.run([sys.executable, *sys.argv[1:]], check=True)
except subprocess.CalledProcessError as error:
    print("it went wrong:", error.returncode, flush=True)
"""

ASKS = """
from durably import interrupt
from tinyframe import Agent
print(Agent().turn("one"))
print(interrupt({"kind": "input_required", "message": "Well?"}))
"""


@pytest.fixture
def tiny(tiny):
    """A place with a program, and a launcher that imports the framework and ignores failures."""
    tiny.write("agents.py", AGENTS)
    tiny.write("launcher.py", LAUNCHER)
    return tiny


def launch(place, *words, **env):
    """Run ``durably exec -- python launcher.py …``."""
    return place.durably("exec", "--", sys.executable, "launcher.py", *words, **env)


def kill_after(number):
    return {"DURABLY_TEST": "1", "DURABLY_TEST_KILL_AFTER": str(number)}


@pytest.mark.parametrize("how", [["agents.py"], ["-m", "agents"], ["-c", AGENTS]])
def test_the_same_command_goes_on_after_a_kill(tiny, how):
    """A script, a module or code that a launcher starts: each step is done once."""
    killed = launch(tiny, *how, "x", **kill_after(2))
    assert f"it went wrong: {-signal.SIGKILL}" in killed.stdout
    done = launch(tiny, *how, "x")
    assert done.returncode == 0, done.stderr
    assert "2 finished steps are in the journal" in done.stderr
    assert done.stdout == "launching\nbegin ['x'] True\nONE used\nTWO used\n"
    assert tiny.lines("model.txt") == ["one", "two"]
    run = tiny.newest()
    assert (run["status"], run["entry"].partition(":")[0]) == ("done", "command")
    assert launch(tiny, *how, "x").stdout == done.stdout
    assert len(tiny.lines("model.txt")) == 4


def test_a_waiting_program_ends_the_command_with_75(tiny):
    """The launcher reports success; the exit code says that somebody has to answer."""
    tiny.write("asks.py", ASKS)
    waits = launch(tiny, "asks.py")
    assert (waits.returncode, "it went wrong: 75" in waits.stdout) == (75, True)
    assert f"durably exec -- {sys.executable} launcher.py asks.py" in waits.stderr
    [question] = tiny.json("approvals")["questions"]
    assert tiny.durably("respond", question["id"], "well").returncode == 0
    assert launch(tiny, "asks.py").stdout == "launching\nONE used\nwell\n"


def test_a_command_without_agents_is_left_alone(tiny):
    """Output and exit code are its own, and no journal is made; it is said that nothing was."""
    tiny.write("plain.py", "import sys\nprint(sys.argv, sys.path[0], __name__)\nsys.exit(3)\n")
    plain = tiny.python("plain.py", "x")
    ours = tiny.durably("exec", "--", sys.executable, "plain.py", "x")
    assert (ours.stdout, ours.returncode) == (plain.stdout, 3)
    assert "nothing was recorded" in ours.stderr
    assert not (tiny.path / ".durably").exists()


def test_an_error_before_the_first_step_looks_as_in_python(tiny):
    """The traceback is the program's alone."""
    tiny.write("broken.py", "def work():\n    {}['tea']\nwork()\n")
    plain = tiny.python("broken.py")
    ours = tiny.durably("exec", "--", sys.executable, "broken.py")
    assert ours.returncode == plain.returncode == 1
    assert plain.stderr in ours.stderr


def test_a_second_program_is_not_recorded_and_told_so(tiny):
    """One command has one program; the children of it are ordinary processes."""
    tiny.write("both.sh", f"{sys.executable} agents.py a\n{sys.executable} agents.py b\n")
    done = tiny.durably("exec", "--", "sh", "both.sh")
    assert "is not recorded" in done.stderr
    assert done.stdout.count("TWO") == 2
    assert len(tiny.json("runs")["runs"]) == 1
    tiny.write(
        "parent.py",
        "import subprocess, sys\nfrom tinyframe import Agent\nprint(Agent().turn('one'))\n"
        "subprocess.run([sys.executable, 'agents.py'], check=True)\n",
    )
    done = tiny.durably("exec", "--", sys.executable, "parent.py")
    assert "is not recorded" not in done.stderr
    assert "begin [] False" in done.stdout


def test_the_site_that_was_there_before_still_counts(tiny, tmp_path):
    """Another ``sitecustomize`` on the path is executed, as without durably."""
    site = tmp_path / "other"
    site.mkdir()
    (site / "sitecustomize.py").write_text("print('other site', flush=True)\n")
    path = f"{site}:{tiny.env['PYTHONPATH']}"
    done = launch(tiny, "agents.py", PYTHONPATH=path)
    assert "other site" in done.stdout
    assert "TWO" in done.stdout
    assert tiny.newest()["status"] == "done"


def test_processes_of_multiprocessing_are_no_programs(tiny):
    """A pool of processes works; what it does is the program's own business."""
    tiny.write(
        "pool.py",
        "import multiprocessing\nfrom tinyframe import Agent\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(abs, [-3]))\n"
        "    print(Agent().turn('one'))\n",
    )
    done = tiny.durably("exec", "--", sys.executable, "pool.py")
    assert (done.stdout, done.returncode) == ("[3]\nONE used\n", 0), done.stderr
    assert tiny.newest()["status"] == "done"


def test_an_unknown_command_is_refused(tiny):
    """The message names it."""
    done = tiny.durably("exec", "--", "no-such-command")
    assert done.returncode == 1
    assert "'no-such-command' cannot be started" in done.stderr


def test_ctrl_c_reaches_the_program_and_the_run_can_go_on(tiny):
    """The run is stopped, not failed."""
    tiny.write(
        "slow.py",
        "from tinyframe import Agent\nprint(Agent().turn('one'), flush=True)\n"
        "import sys\nif not sys.stdin.readline(): sys.exit(4)\n",
    )
    process = subprocess.Popen(
        [*tiny.command(), "exec", "--", sys.executable, "slow.py"],
        cwd=tiny.path,
        env=tiny.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline() == "ONE used\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(TIMEOUT) == 130
    finally:
        process.kill()
        process.communicate()
    assert tiny.newest()["status"] == "stopped"
    assert tiny.durably("exec", "--", sys.executable, "slow.py", stdin="go\n").returncode == 0
