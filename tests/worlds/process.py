"""One process of a program: it ends, dies, asks a person, or stops with an error.

Most worlds play their processes in the memory of one real process, a host for each. With
``forked=True`` each is a real child process with its own list of made ids and its own pid.
"""

from __future__ import annotations

import asyncio
import functools
import os
import pickle
import traceback
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from durably import Command, Host, Inbox, Listener, ProgramChanged, StepInfo, Suspended, entrypoint
from durably.engine.source_files import Sources
from durably.hooks import Plugins

from .calls import adrive, drive
from .journals import Place
from .program import Program
from .world import Died, World

How: TypeAlias = Literal["ended", "died", "waits", "stopped", "failed"]

_THREAD = {"configurable": {"thread_id": "t"}}


@dataclass(frozen=True)
class Asked:
    """A question to a person.

    Attributes:
        id: Its id.
        kind: What is wanted.
        name: What asks.
        shown: Everything that the person sees.
        offered: The recorded request whose outcome ``same`` would give to the new one.
    """

    id: str
    kind: str
    name: str
    shown: str
    offered: Any = None


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        how: By its own end, by death, with questions, by a stop that shows what differs, or with
            another error.
        questions: What it waits for.
        error: What was raised.
    """

    how: How
    questions: tuple[Asked, ...] = ()
    error: str = ""


class _Teller(Listener):
    """Tells the world what the runtime says."""

    def __init__(self, world: World) -> None:
        self._world = world

    def effect_repeated(self, step: StepInfo) -> None:
        self._world.told.append(step.name)
        self._world.note(f"  told: {step.name} is repeated")

    def step_replayed(self, step: StepInfo) -> None:
        self._world.note(f"  replayed {step.kind} {step.lane or '.'} {step.label}")

    def step_changed(self, step: StepInfo, action: str, differences: list[str]) -> None:
        self._world.note(f"  told: {step.kind} {step.name} {action}: {differences}")


@functools.cache
def _plugins() -> Plugins:
    return Plugins()


@functools.cache
def _sources() -> Sources:
    return Sources()


def run_process(program: Program, world: World, place: Place, answers: dict[str, Any]) -> Ended:
    """Run one process of a program here, with answers to the questions that the last one asked."""
    storage = place.storage(world)
    host = Host(storage, plugins=_plugins(), listeners=[_Teller(world)], config=False)
    if not program.is_edited:  # to look through all files of the tests takes longer than the rest
        host.options = replace(host.options, sources=_sources())
    try:
        return _invoked(program, world, host, answers)
    finally:
        host.close()


def _invoked(program: Program, world: World, host: Host, answers: dict[str, Any]) -> Ended:
    given: Any = Command(resume=answers) if answers else None
    if not host.journal.read("t"):
        given = 1
    try:
        if program.is_async:
            asyncio.run(_entry(program, world, host).ainvoke(given, _THREAD))
        else:
            _entry(program, world, host).invoke(given, _THREAD)
    except ProgramChanged as error:
        return Ended("died" if world.is_dead else "stopped", error=str(error))
    except BaseException as error:
        if world.is_dead:
            return Ended("died")
        if not isinstance(error, Exception | Died | Suspended):
            raise
        return Ended("failed", error="".join(traceback.format_exception(error)[-3:]))
    if world.is_dead:
        return Ended("died")
    asked = tuple(
        Asked(
            one.id,
            one.kind,
            one.name,
            f"{one.message}\n{one.args}\n{one.value}",
            [*(one.args or {}).get("recorded", ()), None][0],
        )
        for one in Inbox(host).pending()
    )
    return Ended("waits" if asked else "ended", asked)


def _entry(program: Program, world: World, host: Host) -> Any:
    if program.is_async:

        async def amain(_: Any) -> Any:
            return await adrive(world, program.body(world))

        return entrypoint(checkpointer=host)(amain)

    def main(_: Any) -> Any:
        return drive(world, program.body(world))

    return entrypoint(checkpointer=host)(main)


def run_forked(
    program: Program, world: World, place: Place, answers: dict[str, Any]
) -> tuple[Ended, World]:
    """Run one process of a program in a child process; return the world as it left it."""
    _plugins()  # once for all children
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            told = pickle.dumps((run_process(program, world, place, answers), world))
            with os.fdopen(write, "wb") as pipe:
                pipe.write(told)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    ended, world = pickle.loads(told)
    return ended, world
