"""A program whose file was edited between two processes: what is replayed, what runs again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEADER = """
import sys
from datetime import date
from durably import Host, Listener, entrypoint, task

class Watch(Listener):
    def step_finished(self, step, error):
        print("ran", step.name)
    def step_changed(self, step, action, differences):
        print("changed", step.name, action, *differences)

host = Host("sqlite:///runs.db", listeners=[Watch()], on_change=sys.argv[2])

@task
def load(x):
    return f"<{x}>"

@task
def save(x):
    return f"[{x}]"
"""

FOOTER = """
config = {"configurable": {"thread_id": "t"}}
broken = sys.argv[1] == "broken"
try:
    print("result", *flow.invoke(1 if broken else None, config))
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[0])
"""

BEFORE = """
@entrypoint(checkpointer=host)
def flow(_):
    found = [load("a").result(), load("b").result(), save("c").result()]
    if broken:
        raise RuntimeError("stop")
    return found
"""


class Program:
    """A program file that is run, edited, and run again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, text: str, mode: str = "whole", on_change: str = "auto") -> list[str]:
        file = self._folder / "flow_module.py"
        file.write_text(HEADER + text + FOOTER)
        done = subprocess.run(
            [sys.executable, "-c", "import flow_module", mode, on_change],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    assert made.run(BEFORE, "broken") == ["ran load", "ran load", "ran save", "RuntimeError stop"]
    return made


def edited(*calls: str) -> str:
    listed = ", ".join(f"{call}.result()" for call in calls)
    return f"""
@entrypoint(checkpointer=host)
def flow(_):
    return [{listed}]
"""


def test_an_unchanged_program_replays_everything(program: Program) -> None:
    """Nothing runs again."""
    assert program.run(BEFORE) == ["result <a> <b> [c]"]


def test_an_added_task_runs_and_the_others_replay(program: Program) -> None:
    """A call inserted anywhere does not shift the results of the rest."""
    lines = program.run(edited('load("a")', 'load("new")', 'load("b")', 'save("c")'))
    assert lines[-1] == "result <a> <new> <b> [c]"
    assert [line for line in lines if line.startswith("ran")] == ["ran load"]


def test_a_removed_task_is_left_out(program: Program) -> None:
    """The others replay."""
    assert program.run(edited('load("b")', 'save("c")'))[-1] == "result <b> [c]"


def test_a_renamed_task_runs_and_the_others_replay(program: Program) -> None:
    """Another name is another step."""
    text = '@task(name="store")\ndef store(x):\n    return f"({x})"\n'
    lines = program.run(text + edited('load("a")', 'load("b")', 'store("c")'))
    assert lines == ["ran store", "result <a> <b> (c)"]


def test_reordered_tasks_get_their_own_results(program: Program) -> None:
    """Nothing is executed, and nothing is swapped."""
    lines = program.run(edited('save("c")', 'load("b")', 'load("a")'))
    assert lines == ["result [c] <b> <a>"]


def test_a_changed_argument_in_an_edited_program_runs_again(program: Program) -> None:
    """The person who edited the call wants the new one; the event shows what differs."""
    lines = program.run(edited('load("a")', 'load("B")', 'save("c")'))
    assert lines == ["changed load rerun [0][0]: 'b' → 'B'", "ran load", "result <a> <B> [c]"]


def test_on_change_replay_keeps_the_recorded_result(program: Program) -> None:
    """The old result stands in for the edited call."""
    lines = program.run(edited('load("a")', 'load("B")', 'save("c")'), on_change="replay")
    assert lines == ["changed load replay [0][0]: 'b' → 'B'", "result <a> <b> [c]"]


def test_on_change_error_stops_and_says_what_differs(program: Program) -> None:
    """The run ends before anything is executed; undoing the edit goes on."""
    text = edited('load("a")', 'load("B")', 'save("c")')
    [line] = program.run(text, on_change="error")
    assert line.startswith("ProgramChanged")
    assert "'b' → 'B'" in line
    assert program.run(BEFORE) == ["result <a> <b> [c]"]


def test_an_argument_of_unknown_meaning_is_asked_about(tmp_path: Path) -> None:
    """The same file with another number of files: a person says what that means."""
    text = """
import os
@entrypoint(checkpointer=host)
def flow(_):
    found = [load(f"news of {len(os.listdir())}").result()]
    if broken:
        raise RuntimeError("stop")
    return found
"""
    made = Program(tmp_path)
    made.run(text, "broken")
    (tmp_path / "another.txt").write_text("")
    [asked] = made.run(text)
    assert asked == "result __interrupt__"
    assert made.run(text, on_change="replay")[0].startswith("changed load replay")
