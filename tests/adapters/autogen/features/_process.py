"""One process of a feature program: plain, or durable and perhaps killed after its first step."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import importlib
import json
import logging
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import openai.resources  # noqa: F401 - else each process would import it, lazily
import pydantic

from durably import Host, Listener
from durably.engine import adrive, drive
from durably.hosting import all_runs
from durably.testing import kill_at

from ._kit import FEATURES, Kit

Way = Literal["plain", "script", "coroutine"]
"""Without durably; as ``durably run`` does it; as ``ainvoke`` does it."""

_TIMEOUT = 30
_SETTLE = 2


@dataclass(frozen=True)
class Seen:
    """What one process showed.

    Attributes:
        status: ``killed``, or how the run ended; ``done`` or ``failed`` for a plain one.
        value: What the program returned, as JSON data; an error as its text.
        steps: How many steps it executed, by kind.
        questions: What it waits for, by id.
        leaked: Tasks and processes that were still there after the program.
        logged: What was logged as a warning or worse.
    """

    status: str
    value: Any = None
    steps: Mapping[str, int] = dataclasses.field(default_factory=dict)
    questions: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    leaked: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()


class _Counting(Listener):
    def __init__(self) -> None:
        self.steps: dict[str, int] = {}

    def step_finished(self, step: Any, error: BaseException | None) -> None:
        self.steps[step.kind] = self.steps.get(step.kind, 0) + 1


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name}: {record.getMessage()[:300]}")


@dataclass(frozen=True)
class Errand:
    """What one process is to do.

    Attributes:
        module: Where the feature is defined.
        name: Which feature.
        url: The model's.
        place: The process's working directory, where its journal and its effects are.
        way: How it is run.
        kill: Whether it is killed after the first step that it executes.
        answers: What people have answered since the last process.
    """

    module: str
    name: str
    url: str
    place: Path
    way: Way
    kill: bool
    answers: Mapping[str, Any]


def run_process(errand: Errand) -> Seen:
    """Do an errand in a process of its own and return what was seen."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([one for one in sys.modules if one.startswith(__package__)])
    result, what = errand.place / "seen.json", f"{errand.name}: {errand.way}"
    result.unlink(missing_ok=True)
    process = forks.Process(target=_child, args=(errand,))
    process.start()
    process.join(_TIMEOUT)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"{what} hangs")
    if process.exitcode == -signal.SIGKILL:
        return Seen("killed")
    assert process.exitcode == 0, f"{what} ended with {process.exitcode}"
    return Seen(**json.loads(result.read_text(encoding="utf-8")))


def _child(errand: Errand) -> None:
    warnings.simplefilter("ignore")
    importlib.import_module(errand.module)
    feature, kept = FEATURES[errand.name], _Kept()
    logging.getLogger().addHandler(kept)
    os.chdir(errand.place)
    kit = Kit(errand.url, errand.place, feature.answers)
    with asyncio.Runner() as runner:
        if errand.way == "plain":
            seen = _plain(runner, feature.program, kit)
        else:
            seen = _durable(runner, feature.program, kit, errand)
        left = runner.run(_left())
    left += _children()
    seen = dataclasses.replace(seen, leaked=tuple(left), logged=tuple(kept.said))
    (errand.place / "seen.json").write_text(json.dumps(dataclasses.asdict(seen)), encoding="utf-8")


def _plain(runner: asyncio.Runner, program: Any, kit: Kit) -> Seen:
    try:
        return Seen("done", as_data(runner.run(program(kit))))
    except Exception as error:
        return Seen("failed", f"{type(error).__name__}: {error}")


def _durable(runner: asyncio.Runner, program: Any, kit: Kit, errand: Errand) -> Seen:
    counting = _Counting()
    host = Host(
        f"sqlite:///{kit.directory}/journal.db",
        listeners=[counting],
        plugins=[kill_at(1)] if errand.kill else [],
    )
    views = all_runs(host.journal)
    run = host.resume(views[-1], answers=errand.answers) if views else host.begin("feature", None)
    try:
        if errand.way == "script":
            outcome = drive(run, lambda: as_data(_run_here(runner, program(kit))))
        else:
            outcome = runner.run(adrive(run, lambda: _as_data_later(program, kit)))
    finally:
        host.release(run)
        host.close()
    if outcome.status == "done":
        return Seen("done", outcome.value, counting.steps)
    said = f"{type(outcome.error).__name__}: {outcome.error}" if outcome.error else None
    questions = {one.id: one.value for one in outcome.interrupts}
    return Seen(outcome.status, said, counting.steps, questions)


def _run_here(runner: asyncio.Runner, work: Any) -> Any:
    return runner.run(work, context=contextvars.copy_context())


async def _as_data_later(program: Any, kit: Kit) -> Any:
    return as_data(await program(kit))


async def _left() -> list[str]:
    """Return the tasks that do not end by themselves now that the program is over."""
    me = asyncio.current_task()
    tasks = {task for task in asyncio.all_tasks() if task is not me}
    if tasks:
        _, tasks = await asyncio.wait(tasks, timeout=_SETTLE)
    return [repr(task) for task in tasks]


def _children() -> list[str]:
    """Return the processes that this one started and that are still there."""
    lists = Path("/proc/self/task").glob("*/children")
    return [f"process {one}" for path in lists for one in path.read_text().split()]


def as_data(value: Any) -> Any:
    """Return what a program saw as JSON data, class names included."""
    if isinstance(value, pydantic.BaseModel):
        return {"class": type(value).__name__, **as_data(dict(value))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {"class": type(value).__name__, **as_data(fields)}
    if isinstance(value, Mapping):
        return {str(key): as_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return f"{type(value).__name__} {value!s}"
