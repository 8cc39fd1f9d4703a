"""A functional program is killed (SIGKILL) at every step and at every record, and goes on.

The program writes each effect to a file. Whatever the moment of death, the result is that of an
undisturbed run, and every effect is there once, except for the one that was in flight.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROGRAM = '''
"""Twelve steps: one after the other, side by side, inside each other."""

import asyncio
import os
import sys

from durably import Host, Listener, entrypoint, task
from durably.engine import Call, current
from durably.hooks import Plugins
from durably.testing import KillAfter, KillingStorage

is_async, when, at = sys.argv[1] == "async", sys.argv[2], int(sys.argv[3])


def effect(name):
    with open("effects.txt", "a") as file:
        file.write(name + "\\n")
    return name.upper()


class Repeats(Listener):
    def effect_repeated(self, step):
        print("repeated", step.name)


storage = Plugins().open_storage(os.environ.get("JOURNAL", "sqlite:///runs.db"))
if when == "before-record":
    storage = KillingStorage(storage, at)
host = Host(storage, listeners=[Repeats(), *([KillAfter(at)] if when == "after-step" else [])])


@task
def act(name):
    return effect(name)


@task
def outer(name):
    first = act(name + ".1").result()
    return first + act(name + ".2").result() + effect(name)


def plain(_):
    found = [act(f"s{n}").result() for n in range(4)]
    found += [future.result() for future in [act(f"p{n}") for n in range(4)]]
    return found + [outer("n").result(), act("last").result()]


@task
async def aact(name):
    await asyncio.sleep(0)
    return effect(name)


@task
async def aouter(name):
    first = await aact(name + ".1")
    return first + await aact(name + ".2") + effect(name)


async def coroutine(_):
    found = [await aact(f"s{n}") for n in range(4)]
    found += await asyncio.gather(*(aact(f"p{n}") for n in range(4)))
    return found + [await aouter("n"), await aact("last")]


def marked(_):
    """Take steps as an adapter does for tools."""
    scope = current()
    return [
        scope.step(Call("tool", "send", n, effect=True), lambda n=n: effect(f"e{n}"))
        for n in range(3)
    ]


body = {"plain": plain, "async": coroutine, "effects": marked}[sys.argv[1]]
flow = entrypoint(checkpointer=host)(body)
config = {"configurable": {"thread_id": "t"}}
given = None if host.journal.read("t") else "go"
result = asyncio.run(flow.ainvoke(given, config)) if is_async else flow.invoke(given, config)
print(" ".join(result))
'''

BATCH = {"p0", "p1", "p2", "p3"}
"""Effects that may be in flight together."""

STEPS = 12
EFFECTS = ["s0", "s1", "s2", "s3", *BATCH, "n.1", "n.2", "n", "last"]
RESULT = "S0 S1 S2 S3 P0 P1 P2 P3 N.1N.2N LAST"
RECORDS = 1 + STEPS + 2
"""The beginning, the steps, what the thread remembers, the end."""


def run(folder: Path, kind: str, when: str = "never", at: int = 0) -> tuple[int, str]:
    """Run the program once in a process of its own; return its exit status and output."""
    script = folder / "program.py"
    if not script.exists():
        script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(script), kind, when, str(at)],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": "random"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.strip()


def effects(folder: Path) -> Counter[str]:
    file = folder / "effects.txt"
    return Counter(file.read_text().split() if file.exists() else [])


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize("at", range(1, STEPS + 1))
def test_a_kill_after_a_step_repeats_nothing_that_was_recorded(
    tmp_path: Path, kind: str, at: int
) -> None:
    """Every step whose record was on disk is replayed; only steps in flight happen again."""
    assert run(tmp_path, kind, "after-step", at)[0] == -signal.SIGKILL
    done, output = run(tmp_path, kind)
    assert (done, output) == (0, RESULT)
    happened = effects(tmp_path)
    assert sorted(happened) == sorted(EFFECTS)
    repeated = {name for name, times in happened.items() if times > 1}
    assert repeated <= BATCH
    assert max(happened.values()) <= 2


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize("at", range(1, RECORDS + 1))
def test_a_kill_before_a_record_repeats_at_most_what_was_in_flight(
    tmp_path: Path, kind: str, at: int
) -> None:
    """The effect whose record was lost happens once more; all others happen once."""
    assert run(tmp_path, kind, "before-record", at)[0] == -signal.SIGKILL
    done, output = run(tmp_path, kind)
    assert (done, output) == (0, RESULT)
    happened = effects(tmp_path)
    assert sorted(happened) == sorted(EFFECTS)
    repeated = {name for name, times in happened.items() if times > 1}
    assert len(repeated - BATCH) <= 1
    assert max(happened.values()) <= 2


@pytest.fixture(params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the program keeps its journal."""
    if request.param == "postgres":
        monkeypatch.setenv("JOURNAL", request.getfixturevalue("empty_postgres_url"))
    return str(request.param)


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.usefixtures("journal")
def test_a_program_killed_after_each_of_its_steps_in_turn_ends(tmp_path: Path, kind: str) -> None:
    """Each process gets one step further, and no step is lost on the way."""
    kills = 0
    while run(tmp_path, kind, "after-step", 1)[0] == -signal.SIGKILL:
        kills += 1
        assert kills <= STEPS
    assert run(tmp_path, kind) == (0, RESULT)
    happened = effects(tmp_path)
    assert sorted(happened) == sorted(EFFECTS)
    repeated = {name for name, times in happened.items() if times > 1}
    assert repeated <= BATCH


@pytest.mark.parametrize("at", [1, 2, RECORDS // 2, RECORDS - 1, RECORDS])
def test_kills_before_records_in_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_postgres_url: str, at: int
) -> None:
    """What was acknowledged by the server is there for the next process, and nothing else is."""
    monkeypatch.setenv("JOURNAL", empty_postgres_url)
    test_a_kill_before_a_record_repeats_at_most_what_was_in_flight(tmp_path, "plain", at)


@pytest.mark.parametrize("at", range(2, 8))
def test_an_effect_that_may_have_happened_twice_is_reported(tmp_path: Path, at: int) -> None:
    """A marked effect that died before its record is repeated, and listeners are told of it."""
    assert run(tmp_path, "effects", "before-record", at)[0] == -signal.SIGKILL
    _, output = run(tmp_path, "effects")
    begun, is_half_way = (at - 1) // 2, at % 2 == 1
    happened = effects(tmp_path)
    expected = {f"e{n}": 1 + (is_half_way and n == begun - 1) for n in range(3)}
    assert happened == expected
    assert output.splitlines() == ["repeated send"] * is_half_way + ["E0 E1 E2"]
