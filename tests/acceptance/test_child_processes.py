"""Programs that start processes under ``durably run``: they do what they do without durably."""

from __future__ import annotations

import pytest
from tests.support.commands import Place

POOLS = """
import multiprocessing as mp, sys
from concurrent.futures import ProcessPoolExecutor
from tinyframe import Agent

def turn(word):
    return Agent().turn(word)

if __name__ == "__main__":
    kind, method = sys.argv[1:]
    context = mp.get_context(method)
    print(turn("before"))
    if kind == "pool":
        with context.Pool(2) as pool:
            print(pool.map(turn, ["one", "two"]))
    elif kind == "executor":
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            print(list(pool.map(turn, ["one", "two"])))
    else:
        process = context.Process(target=turn, args=("one",))
        process.start()
        process.join()
        print(process.exitcode)
    print(turn("after"))
"""

FORKS = """
import os, sys
from tinyframe import Agent

print(Agent().turn("before"), flush=True)
child = os.fork()
if child:
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    print(Agent().turn("parent"))
else:
    print(Agent().turn("child"), flush=True)
    LAST
"""

IN_FLOW = """
import os, time
from durably import entrypoint, task

@task
def effect(name):
    with open("effects.txt", "a") as file:
        file.write(name + "\\n")
    return name

@task
def slow(done):
    while not os.path.exists(done):
        time.sleep(0.01)

def forks():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        open("done", "w").close()
    return "child" if child == 0 else "parent"

@entrypoint(checkpointer=CHECKPOINTER)
def flow(given):
    effect("before").result()
    other = slow("done")
    who = forks()
    return who if who == "child" and LEAVES else effect(who).result()

print(flow.invoke(1, {"configurable": {"thread_id": "t"}}), flush=True)
"""

JOBS = """
import multiprocessing as mp, sys
from durably import entrypoint, task

@task
def effect(name):
    with open("effects.txt", "a") as file:
        file.write(name + "\\n")
    return name.upper()

@entrypoint(checkpointer="sqlite:///own.db")
def flow(name):
    return effect(name).result()

def job(name):
    return flow.invoke(name, {"configurable": {"thread_id": name}})

if __name__ == "__main__":
    if sys.argv[2] == "used":
        print(job("parent"))
    with mp.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map(job, ["one", "two", "three"]))
    states = [flow.get_state({"configurable": {"thread_id": name}}) for name in ("one", "two")]
    print(job("last"), [state.values for state in states])
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["pool", "executor", "process"])
def test_pools_work_as_without_durably(tiny: Place, kind: str, method: str):
    """Workers do their work, the program ends, and the parent's own steps are recorded."""
    tiny.write("pools.py", POOLS)
    plain = tiny.python("pools.py", kind, method)
    assert plain.returncode == 0, plain.stderr
    done = tiny.durably("run", "pools.py", kind, method)
    assert (done.returncode, done.stdout) == (0, plain.stdout), done.stderr
    assert ("was forked inside a durable run" in done.stderr) is (method == "fork")
    run = tiny.newest()
    shown = tiny.json("show", run["run"])
    assert run["status"] == "done"
    assert [step["name"] for step in shown["steps"]] == ["tiny-1", "use"] * 2  # before and after
    calls = len(tiny.lines("model.txt"))
    again = tiny.durably("run", "--run", run["run"], "pools.py", kind, method)
    assert again.stdout == plain.stdout
    workers = 1 if kind == "process" else 2
    assert len(tiny.lines("model.txt")) == calls + workers


@pytest.mark.parametrize(
    ("last", "code"),
    [("pass", 0), ("sys.exit(3)", 3), ("raise LookupError('lost')", 1), ("os._exit(4)", 4)],
)
@pytest.mark.parametrize("command", ["run", "exec"])
def test_child_goes_on_to_the_end_of_the_program(tiny: Place, command: str, last: str, code: int):
    """A forked child ends with its own exit code, and says nothing about its parent's run."""
    tiny.write("forks.py", FORKS.replace("LAST", last))
    words = ["run", "forks.py"] if command == "run" else ["exec", "--", "python", "forks.py"]
    done = tiny.durably(*words)
    assert done.returncode == 0, done.stderr
    lines = ["BEFORE used", "CHILD used", f"child {code}", "PARENT used"]
    assert done.stdout.splitlines() == lines
    assert ("LookupError: lost" in done.stderr) is ("lost" in last)
    assert done.stderr.count("continue with") == 0
    assert done.stderr.count(" done in ") == 1
    assert tiny.newest()["status"] == "done"


@pytest.mark.parametrize("leaves", ["True", "False"])
@pytest.mark.parametrize("checkpointer", ["None", "'sqlite:///own.db'"])
@pytest.mark.parametrize("how", ["python", "durably"])
def test_fork_inside_an_entrypoint(place: Place, how: str, checkpointer: str, leaves: str):
    """A child leaves what it was in, waiting for no thread of its parent's; a task is refused."""
    text = IN_FLOW.replace("CHECKPOINTER", checkpointer).replace("LEAVES", leaves)
    place.write("flow.py", text)
    done = place.python("flow.py") if how == "python" else place.durably("run", "flow.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == (["child", "parent"] if leaves == "True" else ["parent"])
    assert ("'effect' was called in a process that was forked" in done.stderr) is (leaves != "True")
    assert place.lines("effects.txt") == ["before", "parent"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("parent", ["used", "unused"])
@pytest.mark.parametrize("how", ["python", "durably"])
def test_workers_have_runs_of_their_own(place: Place, how: str, parent: str, method: str):
    """An entrypoint at module level opens its journal in whichever process uses it."""
    place.write("jobs.py", JOBS)
    words = ["jobs.py", method, parent]
    done = place.python(*words) if how == "python" else place.durably("run", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["['ONE', 'TWO', 'THREE']", "LAST ['ONE', 'TWO']"]
    expected = ["last", "one", "three", "two"] + (["parent"] if parent == "used" else [])
    assert sorted(place.lines("effects.txt")) == sorted(expected)
