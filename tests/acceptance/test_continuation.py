"""What durably says to type continues the very run that it is said of."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

ASKS = """
name = input("Your name? ")
age = input("Your age? ")
print(f"hello {name}, {age}")
"""

FLOW = """
import sys
from durably import entrypoint, interrupt, task

@task
def write(topic: str) -> str:
    print("PAID: write", topic)
    return f"An essay about {topic}"

@entrypoint(checkpointer="sqlite:///runs.db")
def flow(topic: str) -> str:
    essay = write(topic).result()
    verdict = interrupt({"message": "Publish?", "essay": essay})
    return essay if verdict == "yes" else "not published"

if __name__ == "__main__":
    config = {"configurable": {"thread_id": sys.argv[1]}}
    print(flow.invoke("cats", config))
"""


def told(output):
    """Return what an output says to continue with."""
    found = re.findall(r"continue with: (.+)", output)
    assert len(found) == 1, output
    return found[0]


def typed(place, command):
    """Type a command that durably printed, in the directory."""
    words = shlex.split(command)
    assert words[0] == "durably"
    return place.durably(*words[1:])


def waiting(place, *options):
    """Start the program anew and return its run, which waits for its first answer."""
    before = {one["run"] for one in place.json("runs", *_store(options))["runs"]}
    place.durably("run", *options, "--new", "q.py")
    after = {one["run"] for one in place.json("runs", *_store(options))["runs"]}
    return (after - before).pop()


def _store(options):
    options = list(options)
    at = options.index("--store") if "--store" in options else None
    return options[at : at + 2] if at is not None else []


def answer(place, run, text, *store):
    """Answer a run's open question, and return what is said then."""
    asked = place.json("approvals", *store)["questions"]
    question = next(one["id"] for one in asked if one["run"] == run)
    done = place.durably("respond", *store, question, text)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("options", [[], ["--store", "sqlite:///other.db", "--once", "pay"]])
def test_an_older_run_of_the_same_command_is_named(place, options):
    """With a newer run waiting, the command for the older one names it, at each of its steps."""
    place.write("q.py", ASKS)
    store = _store(options)
    older, newer = waiting(place, *options), waiting(place, *options)
    command = told(answer(place, older, "ann", *store))
    assert f"--run {older}" in command
    again = typed(place, command)
    assert again.returncode == 75
    command = told(again.stderr)
    assert f"--run {older}" in command
    assert all(option in command for option in options)
    assert f"--run {older}" in told(place.durably("show", *store, older).stdout)
    assert "--run" not in told(place.durably("show", *store, newer).stdout)
    answer(place, older, "7", *store)
    assert typed(place, command).stdout.splitlines()[-1] == "hello ann, 7"


def test_the_newest_run_needs_no_name_until_another_command_run_is_done(place):
    """A newer run that is done would be followed by a new one: the older run is named then."""
    place.write("q.py", ASKS)
    older, newer = waiting(place), waiting(place)
    for text in ("bob", "8"):
        typed(place, told(answer(place, newer, text)))
    command = told(answer(place, older, "ann"))
    assert typed(place, command).returncode == 75
    answer(place, older, "7")
    assert "hello ann, 7" in typed(place, command).stdout
    assert len(place.json("runs")["runs"]) == 2


def test_options_of_the_start_are_told_at_the_answer(place):
    """Approvals, policies, the thread and the journal are part of what continues the run."""
    place.write("q.py", ASKS)
    options = ["--store", "sqlite:///o.db", "--thread", "t 1", "--approve", "tool", "--retry", "2"]
    place.durably("run", *options, "q.py")
    run = place.json("runs", "--store", "sqlite:///o.db")["runs"][0]["run"]
    words = shlex.split(told(answer(place, run, "ann", "--store", "sqlite:///o.db")))
    for name, value in zip(options[::2], options[1::2], strict=True):
        assert words[words.index(name) + 1] == value
    assert typed(place, shlex.join(words)).returncode == 75


def test_an_answer_given_in_another_directory_tells_where_to_go_on(place, tmp_path_factory):
    """The command changes to the run's directory, and finds its journal from there."""
    place.write("q.py", ASKS)
    run = waiting(place)
    other = tmp_path_factory.mktemp("other")
    journal = f"sqlite:///{place.path / '.durably' / 'journal.db'}"
    questions = place.json("approvals")["questions"]
    said = subprocess.run(
        [*place.command(), "respond", "--store", journal, questions[0]["id"], "ann"],
        cwd=other,
        env=place.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    change, _, command = told(said).partition(" && ")
    assert shlex.split(change) == ["cd", str(place.path)]
    assert typed(place, command).returncode == 75
    assert [one["run"] for one in place.json("runs")["runs"]] == [run]


def test_an_entrypoint_is_continued_by_a_call_that_pays_nothing_again(place):
    """The call that is told continues the waiting run; the same input would begin another."""
    place.write("same_call.py", FLOW)
    first = place.python("same_call.py", "essay-1")
    assert "PAID" in first.stdout
    run = place.json("runs", "--store", "sqlite:///runs.db")["runs"][0]["run"]
    call = told(answer(place, run, "yes", "--store", "sqlite:///runs.db"))
    assert call == 'flow.invoke(None, {"configurable": {"thread_id": "essay-1"}})'
    place.write("go_on.py", f"from same_call import flow\nprint({call})\n")
    second = place.python("go_on.py")
    assert second.stdout == "An essay about cats\n"
    resumed = place.durably("resume", "--store", "sqlite:///runs.db", run)
    assert call in resumed.stdout


def test_an_entrypoints_run_that_another_followed_is_told_to_be_over(place):
    """No call continues it, since that would continue the newer one, which is named."""
    place.write("same_call.py", FLOW)
    place.python("same_call.py", "essay-1")
    run = place.json("runs", "--store", "sqlite:///runs.db")["runs"][0]["run"]
    place.python("same_call.py", "essay-1")
    newest = place.json("runs", "--store", "sqlite:///runs.db")["runs"][0]["run"]
    shown = place.durably("show", "--store", "sqlite:///runs.db", run).stdout
    assert newest != run
    assert f"run {newest} took this run's place" in shown
    assert f"the thread continues with run {newest}" in shown
    assert "continue with" not in shown


def test_two_scripts_do_not_take_each_others_runs(place):
    """Both are __main__ and name their entrypoint alike; the second one is refused."""
    place.write("same_call.py", FLOW)
    place.write("other.py", FLOW.replace('flow.invoke("cats"', "flow.invoke(None"))
    place.python("same_call.py", "essay-1")
    refused = place.python("other.py", "essay-1")
    assert refused.returncode == 1
    assert "ResumeError" in refused.stderr
    assert "same_call:flow" in refused.stderr
    assert "other:flow" in refused.stderr
