"""Budgets, parked runs, rates and caches when processes are killed or run side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import durably
from durably import SqliteCache
from durably.engine import Awaiting
from durably.hosting import all_runs
from durably.journal.records import Asked, StepEnded
from durably.policies.ledger import Ledger
from durably.testing import FakeClock

pytestmark = pytest.mark.slow

PROGRAM = '''
"""Six model calls for a dollar each, under the policies that the arguments ask for."""

import json
import os
import sys
import time

import durably
from durably import Budget, CachePolicy, ParkPolicy, RatePolicy, StepPolicy, hookimpl
from durably.engine import Call, current
from durably.hooks import Plugins
from durably.testing import KillAfter, KillingStorage

what, when, at = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Down(Exception):
    status_code = 503


class Prices:
    @hookimpl
    def price(self, model, usage):
        return usage["output_tokens"] / 100


def call(number):
    def execute():
        if what == "outage" and number == 3 and os.path.exists("down"):
            raise Down
        if what == "cache":
            time.sleep(0.3)
        with open("calls.txt", "a") as log:
            log.write(f"{number} {time.time()}\\n")
        return number

    request = {"q": number, "max_tokens": 100}
    step = Call("model", "m", request, usage=lambda _: {"input_tokens": 0, "output_tokens": 100})
    return current().step(step, execute)


POLICIES = {
    "outage": StepPolicy(on_exhausted=ParkPolicy(first=3600)),
    "rate": StepPolicy(rate=RatePolicy(requests=3, per=1)),
    "cache": StepPolicy(cache=CachePolicy()),
}
storage = Plugins().open_storage("sqlite:///" + os.environ.get("JOURNAL", "runs.db"))
if when == "record":
    storage = KillingStorage(storage, at)
host = durably.Host(
    storage,
    listeners=[KillAfter(at)] if when == "step" else [],
    plugins=[Prices()],
    policies={"model": POLICIES[what]} if what in POLICIES else {},
    budgets=[Budget(usd=3.5)] if what == "budget" else [],
    cache="sqlite:///cache.db",
    config=False,
)


@durably.entrypoint(checkpointer=host)
def flow(count):
    return [call(number) for number in range(count)]


config = {"configurable": {"thread_id": "t"}}
known = host.journal.read("t")
given = None if known else 6
if len(sys.argv) > 4:
    given = durably.Command(resume={"type": sys.argv[4]})
try:
    print(json.dumps(flow.invoke(given, config), default=str))
except durably.RunParked as parked:
    print(json.dumps({"parked": parked.wake}))
'''


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the program in a process, which may be killed."""
    (tmp_path / "program.py").write_text(PROGRAM)

    def start(what, when="never", at=0, *more, **env):
        words = [sys.executable, "program.py", what, when, str(at), *more]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, env=_environment(env), check=False
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return start


def _environment(more):
    return {**os.environ, **more}


def calls(tmp_path: Path) -> list[int]:
    path = tmp_path / "calls.txt"
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def records(tmp_path, kind):
    host = durably.Host(f"sqlite:///{tmp_path / 'runs.db'}", config=False)
    found = [
        entry.record
        for view in all_runs(host.journal)
        for entry in host.journal.read(view.thread)
        if isinstance(entry.record, kind)
    ]
    host.close()
    return found


@pytest.mark.parametrize(("when", "at"), [("step", 2), ("step", 3), ("record", 4), ("record", 5)])
def test_a_killed_run_knows_what_it_spent(run, tmp_path, when, at):
    """Whenever it died, the limit is where it was: three calls, one question, then the rest."""
    assert run("budget", when, at) is None
    assert "__interrupt__" in run("budget")
    assert len(set(calls(tmp_path))) == 3
    assert len({one.id for one in records(tmp_path, Asked)}) == 1
    assert run("budget", "never", 0, "approve") == [0, 1, 2, 3, 4, 5]
    assert sum(one.usage["cost"] for one in records(tmp_path, StepEnded)) == 6


@pytest.mark.parametrize("at", [4, 5, 6])
def test_a_run_that_is_killed_as_it_parks_parks_again(run, tmp_path, at):
    """Between the failed attempt and the record that it waits there is nothing to lose."""
    (tmp_path / "down").touch()
    first = run("outage", "record", at)
    assert first is None or "parked" in first
    assert run("outage")["parked"] is not None
    (tmp_path / "down").unlink()
    assert run("outage") == [0, 1, 2, 3, 4, 5]
    assert set(calls(tmp_path)) == {0, 1, 2, 3, 4, 5}


def test_processes_share_a_rate(tmp_path, run):
    """However many there are, no second has more calls in it than the rate allows."""
    words = [sys.executable, "program.py", "rate", "never", "0"]
    together = [
        subprocess.Popen(
            words,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            env=_environment({"JOURNAL": f"runs{number}.db"}),
        )
        for number in range(2)
    ]
    assert [one.wait(60) for one in together] == [0, 0]
    lines = (tmp_path / "calls.txt").read_text().splitlines()
    times = sorted(float(line.split()[1]) for line in lines)
    assert len(times) == 12
    # A call begins a moment after it was let through, so a fourth may come a little early.
    assert all(later - first > 0.5 for first, later in zip(times, times[3:], strict=False))


def test_processes_compute_a_cached_answer_once(tmp_path, run):
    """One calls the model; the other waits for it, or finds what it left."""
    words = [sys.executable, "program.py", "cache", "never", "0"]
    together = [
        subprocess.Popen(
            words,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment({"JOURNAL": f"runs{number}.db"}),
        )
        for number in range(2)
    ]
    said = [one.communicate(timeout=60)[0] for one in together]
    assert [json.loads(one) for one in said] == [[0, 1, 2, 3, 4, 5]] * 2
    assert sorted(calls(tmp_path)) == [0, 1, 2, 3, 4, 5]


async def test_a_process_that_died_with_a_claim_holds_nobody_up_for_long(tmp_path):
    """Its claim on the rate's window expires by itself."""
    clock = FakeClock()
    cache = SqliteCache(tmp_path / "cache.db", clock=clock.now)
    key = (("durably", "rate"), "m")
    assert cache.claim(key, "dead", 5.0)
    ledger = Ledger(cache, key, 60, clock)
    assert await ledger.change(Awaiting(clock), lambda kept: (kept, b"new")) is None
    assert sum(clock.slept) < 10
    assert await ledger.change(Awaiting(clock), lambda kept: (kept, b"newer")) == b"new"
    cache.close()
