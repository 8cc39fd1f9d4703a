"""``durably run`` on ordinary scripts: as Python would run them, and durably."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest
from tests.support.commands import TIMEOUT

from durably.testing import crash_matrix

AGENTS = """
import sys
from tinyframe import Agent
print("begin", flush=True)
for word in sys.argv[1:] or ["one", "two"]:
    print(Agent().turn(word))
"""

ASKS = """
from durably import entrypoint, interrupt, task

@task
def note(text):
    with open("notes.txt", "a") as notes:
        notes.write(text + "\\n")
    return text

@entrypoint()
def flow(topic):
    note("before").result()
    answer = interrupt({"kind": "input_required", "message": f"Publish {topic}?"})
    note("after").result()
    return answer

print(flow.invoke("tea"))
"""

DECIDES = """
from durably import entrypoint, interrupt

@entrypoint()
def flow(_):
    return interrupt({
        "kind": "tool_call", "name": "refund", "args": {"order": "7", "amount": 20},
        "allowed": ["approve", "edit", "reject"],
    })

print(flow.invoke(1))
"""

LOOKS_AROUND = """
import os, sys
print(sorted(globals()), __name__, __file__, sys.argv, os.getcwd(), sys.path[0])
print(sys.stdin.read(), sys.modules["__main__"].__file__)
print("last words", file=sys.stderr)
"""


def test_a_script_finds_what_plain_python_gives_it(place):
    """Globals, argv, stdin, cwd, path and output are those of ``python script``."""
    place.write("look.py", LOOKS_AROUND)
    plain = place.python("look.py", "-x", "--json", "--", "y z", stdin="typed")
    ours = place.durably("run", "--quiet", "look.py", "-x", "--json", "--", "y z", stdin="typed")
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, 0)


def test_a_module_finds_what_plain_python_gives_it(place):
    """``-m``: a module in a package, and a package with a ``__main__``, as ``python -m``."""
    look = "import sys\nfrom . import word\nprint(__name__, __package__, __spec__.name, word)\n"
    look += "print(sys.argv, sys.path[0], __file__, sys.modules['__main__'].word)\n"
    place.write("pack/__init__.py", "import sys\nword = sys.argv[:]\n")
    place.write("pack/look.py", look)
    place.write("pack/__main__.py", look)
    for name in ("pack.look", "pack"):
        plain = place.python("-m", name, "-x", "--", "y")
        ours = place.durably("run", "--quiet", "-m", name, "-x", "--", "y")
        assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, 0)
    place.write("pack/doing.py", "import sys\ndef run():\n    print(sys.argv[1:])\n    return 3\n")
    called = place.durably("run", "--quiet", "-m", "pack.doing:run", "-x")
    assert (called.stdout, called.returncode) == ("['-x']\n", 3)
    again = place.durably("run", "-m", "pack.nothing")
    assert again.returncode == 1
    assert "No module named pack.nothing" in again.stderr
    assert "continue with: durably run -m pack.nothing" in again.stderr
    assert "there is no module 'nowhere'" in place.durably("run", "-m", "nowhere.x").stderr


@pytest.mark.parametrize("code", ["3", "'out of tea'", "None", "0", "True"])
def test_the_exit_code_is_the_scripts_own(place, code):
    """Whatever is given to ``sys.exit`` ends the command as it would end Python."""
    place.write("leave.py", f"import sys\nsys.exit({code})\n")
    plain, ours = place.python("leave.py"), place.durably("run", "--quiet", "leave.py")
    assert ours.returncode == plain.returncode
    assert plain.stderr in ours.stderr


def test_an_uncaught_error_looks_as_in_python(tiny):
    """The traceback is Python's to the letter, without a frame of the runtime or the adapter."""
    tiny.write(
        "fail.py",
        "from tinyframe import Agent\n"
        "def work():\n"
        "    try:\n"
        "        {}['tea']\n"
        "    except KeyError as error:\n"
        "        raise ValueError('no tea') from error\n"
        "class Host(Agent):\n"
        "    def turn(self, prompt):\n"
        "        work()\n"
        "Host().turn('x')\n",
    )
    plain, ours = tiny.python("fail.py"), tiny.durably("run", "fail.py")
    assert ours.returncode == plain.returncode == 1
    assert plain.stderr in ours.stderr
    last = ours.stderr.splitlines()[-1]
    assert last.strip() == "continue with: durably run fail.py"


def test_frames_between_the_programs_own_are_left_out(tiny):
    """An error that passes through a step shows the program's frames on both sides of it."""
    tiny.write(
        "fail.py",
        "import tinyframe\n"
        "def broken(self, prompt): raise ValueError(prompt)\n"
        "class Mine(tinyframe.Model): pass\n"
        "tinyframe.Model.__init__ = lambda self: None\n"
        "def use(): tinyframe.Tool().use(word=Bad())\n"
        "class Bad:\n"
        "    def __repr__(self): raise ValueError('bad repr')\n"
        "use()\n",
    )
    ours = tiny.durably("run", "fail.py")
    assert "in use" in ours.stderr
    assert "in __repr__" in ours.stderr
    assert f"{os.sep}durably{os.sep}" not in ours.stderr
    assert "durably_tiny" not in ours.stderr


def test_killed_after_every_step_the_same_command_ends_with_the_same_output(tiny):
    """Each model call and each effect happens once over all processes."""
    tiny.write("agents.py", AGENTS)
    plain = tiny.python("agents.py").stdout
    for log in ("model.txt", "tool.txt"):
        (tiny.path / log).unlink()
    report = crash_matrix(
        [*tiny.command(), "run", "agents.py"], env=tiny.environment(), cwd=tiny.path
    )
    assert (report.kills, report.returncode, report.stdout) == (4, 0, plain)
    assert tiny.lines("model.txt") == ["one", "two"]
    assert tiny.lines("tool.txt") == ["{'word': 'ONE'}", "{'word': 'TWO'}"]
    assert "4 steps, 4 replayed" in report.stderr


def test_an_effect_killed_before_its_record_is_repeated_and_said_so(tiny):
    """Between the effect and its record nobody can know; the repetition is announced."""
    tiny.write("agents.py", AGENTS)
    killed = tiny.durably("run", "agents.py", "one", DURABLY_TEST="1", DURABLY_TEST_KILL_BEFORE="2")
    assert killed.returncode == -signal.SIGKILL
    again = tiny.durably("run", "agents.py", "one")
    assert again.returncode == 0
    assert "use(word='ONE')" in again.stderr
    assert "it began when the last process died" in again.stderr
    assert tiny.lines("tool.txt") == ["{'word': 'ONE'}"] * 2


def test_once_asks_instead_of_repeating_an_effect(tiny):
    """With --once the run waits for a person, and the answer stands for the effect's result."""
    tiny.write("agents.py", AGENTS)
    tiny.durably("run", "agents.py", "one", DURABLY_TEST="1", DURABLY_TEST_KILL_BEFORE="2")
    asked = tiny.durably("run", "--once", "use", "agents.py", "one")
    assert asked.returncode == 75
    assert "continue with: durably run --once use agents.py one" in asked.stderr
    identity = tiny.json("approvals")["questions"][0]["id"]
    assert tiny.durably("respond", identity, "as if used").returncode == 0
    done = tiny.durably("run", "--once", "use", "agents.py", "one")
    assert done.stdout == "begin\nONE as if used\n"
    assert tiny.lines("tool.txt") == ["{'word': 'ONE'}"]


def test_once_asks_again_when_the_repetition_dies_too(tiny):
    """An approval is for one repetition; the next death is another question."""
    tiny.write("agents.py", AGENTS)
    run = ("run", "--once", "use", "agents.py", "one")
    tiny.durably(*run, DURABLY_TEST="1", DURABLY_TEST_KILL_BEFORE="2")
    assert tiny.durably(*run).returncode == 75
    [first] = tiny.json("approvals")["questions"]
    tiny.durably("approve", first["id"])
    tiny.durably(*run, DURABLY_TEST="1", DURABLY_TEST_KILL_BEFORE="1")
    assert len(tiny.lines("tool.txt")) == 2
    assert tiny.durably(*run).returncode == 75
    [second] = tiny.json("approvals")["questions"]
    assert second["id"] != first["id"]


def test_the_kill_switches_are_dead_outside_of_tests(tiny):
    """Without DURABLY_TEST=1 the variables mean nothing."""
    tiny.write("agents.py", AGENTS)
    assert tiny.durably("run", "agents.py", DURABLY_TEST_KILL_AFTER="1").returncode == 0


def test_steps_are_shown_with_tokens_under_their_spans(tiny):
    """The lines on stderr say what was executed, what came back, and what it saved."""
    tiny.write("agents.py", AGENTS)
    tiny.durably("run", "agents.py", "one", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    shown = tiny.durably("run", "agents.py", "one").stderr
    shown = re.sub(r"\d+\.\ds", "#s", shown)
    lines = [re.sub(r" {2,}", "  ", line.rstrip()) for line in shown.splitlines()]
    run, journal = tiny.newest()["run"], "journal .durably/journal.db"
    assert lines == [
        f"↻ {run}  agents.py  continuing: 1 finished step is in the journal  {journal}",
        "  ● agent Tiny",
        "  ↺ model  tiny-1  1 000 → 3 tok  replayed",
        "  ✓ tool  use(word='ONE')  #s",
        f"✔ {run} done in #s  2 steps, 1 replayed  0 tokens used, 1 003 not paid again",
    ]


def test_an_encoding_without_the_marks_gets_ascii(tiny):
    """Nothing fails where stderr cannot encode the signs."""
    tiny.write("agents.py", AGENTS)
    done = tiny.durably("run", "agents.py", "grün", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert "UnicodeEncodeError" in done.stderr  # the program's own print, as in plain Python
    assert done.stderr.isascii()
    assert "> " in done.stderr
    assert "+ model" in done.stderr


def test_a_finished_command_starts_anew_and_run_replays(tiny):
    """The same command is a new run once the old one is done; --run pays for nothing."""
    tiny.write("agents.py", AGENTS)
    first = tiny.durably("run", "agents.py").stdout
    run = tiny.newest()["run"]
    assert tiny.durably("run", "agents.py").stdout == first
    assert tiny.newest()["run"] != run
    assert len(tiny.lines("model.txt")) == 4
    replay = tiny.durably("run", "--run", run[:6], "agents.py")
    assert (replay.returncode, replay.stdout) == (0, first)
    assert "4 steps, 4 replayed" in replay.stderr
    assert len(tiny.lines("model.txt")) == 4


def test_new_leaves_the_unfinished_run_alone(tiny):
    """--new starts another run, and the stopped one stays as it was."""
    tiny.write("agents.py", AGENTS)
    tiny.durably("run", "agents.py", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    stopped = tiny.newest()["run"]
    tiny.durably("run", "--new", "agents.py")
    statuses = {one["run"]: one["status"] for one in tiny.json("runs")["runs"]}
    assert statuses.pop(stopped) == "stopped"
    assert list(statuses.values()) == ["done"]


def test_a_question_ends_the_process_and_an_answer_continues_it(place):
    """Exit code 75, nothing running, an answer by command, the same command again: done."""
    place.write("asks.py", ASKS)
    waiting = place.durably("run", "asks.py")
    assert (waiting.returncode, waiting.stdout) == (75, "")
    [question] = place.json("approvals")["questions"]
    assert question["message"] == "Publish tea?"
    assert f'durably respond {question["id"][:6]} "…"' in waiting.stderr
    answered = place.durably("respond", question["id"][:6], "ship it")
    assert answered.returncode == 0
    assert "continue with: durably run asks.py" in answered.stdout
    done = place.durably("run", "asks.py")
    assert (done.returncode, done.stdout) == (0, "ship it\n")
    assert place.lines("notes.txt") == ["before", "after"]
    [kept] = place.json("show", place.newest()["run"])["questions"]
    assert (kept["answer"], kept["open"]) == ("ship it", False)
    assert "@" in kept["by"]


def test_an_approval_may_change_arguments(place):
    """--set edits what was proposed; the journal holds the decision."""
    place.write("decides.py", DECIDES)
    assert place.durably("run", "decides.py").returncode == 75
    [question] = place.json("approvals")["questions"]
    assert place.durably("approve", question["id"], "--set", "amount=5").returncode == 0
    done = place.durably("run", "decides.py")
    assert done.stdout == "{'type': 'edit', 'args': {'order': '7', 'amount': 5}}\n"


def test_a_rejection_carries_its_reason(place):
    """Reject -m hands the reason to the program."""
    place.write("decides.py", DECIDES)
    place.durably("run", "decides.py")
    [question] = place.json("approvals")["questions"]
    assert place.durably("reject", question["id"], "-m", "too much").returncode == 0
    assert "'message': 'too much'" in place.durably("run", "decides.py").stdout


def test_a_changed_step_stops_the_run_when_asked_to(tiny):
    """--on-change error names the step and what differs, and executes nothing."""
    tiny.write("agents.py", AGENTS.replace("word in", "word in [open('word.txt').read()] or"))
    tiny.write("word.txt", "one")
    tiny.durably("run", "agents.py", DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    tiny.write("word.txt", "two")
    stopped = tiny.durably("run", "--on-change", "error", "agents.py")
    assert stopped.returncode == 1
    assert "model tiny-1" in stopped.stderr
    assert "'one' → 'two'" in stopped.stderr
    assert tiny.lines("model.txt") == ["one"]


def test_two_processes_cannot_drive_one_run(place):
    """The second is told who has it and what to do instead; the first is not disturbed."""
    place.write("slow.py", "import sys\nprint('up', flush=True)\nsys.stdin.readline()\n")
    first = subprocess.Popen(
        [*place.command(), "run", "slow.py"],
        cwd=place.path,
        env=place.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert first.stdout.readline() == "up\n"
        assert place.newest()["status"] == "running"
        refused = place.durably("run", "slow.py")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f":{first.pid}" in refused.stderr
        assert "--new" in refused.stderr
        first.communicate("\n", timeout=TIMEOUT)
        assert first.returncode == 0
    finally:
        first.kill()
        first.communicate()
    assert place.newest()["status"] == "done"


def test_ctrl_c_stops_the_run_and_leaves_it_to_be_continued(place):
    """Exit code 130; the run is stopped, not failed, and goes on with the same command."""
    place.write(
        "slow.py", "import sys\nprint('up', flush=True)\nif not sys.stdin.readline(): sys.exit(4)\n"
    )
    process = subprocess.Popen(
        [*place.command(), "run", "slow.py"],
        cwd=place.path,
        env=place.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 130
        assert "interrupted" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    assert place.newest()["status"] == "stopped"
    again = place.durably("run", "slow.py", stdin="go\n")
    assert again.returncode == 0
    assert "beginning again" in again.stderr
