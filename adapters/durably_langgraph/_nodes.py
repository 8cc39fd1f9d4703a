"""Nodes: what one of a graph's tasks wrote is a step, inside the step that the graph's call is.

So a graph that is executed again, in another process and without its checkpoints, goes on after the
last node that finished. LangGraph signals interrupts and commands to a parent graph by exceptions;
they are no failures of the node.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from durably.adapting import Call, Scope, Seam, live_scope
from durably.errors import EncodeError

from ._requests import without_ids
from ._rounds import frame_here
from ._signals import carried, unwrapped

_HIDDEN = "langsmith:hidden"
_RETURN = "__return__"
_INTERNAL = ("__", "branch:")


class Written(dict[str, Any]):
    """What a node wrote, as people read it: values by channel.

    Attributes:
        writes: The writes themselves, in order, LangGraph's own among them.
        parent: The command to a parent graph that the node ended with, if it did.
    """

    def __init__(self, writes: Iterable[Iterable[Any]], parent: Any = None) -> None:
        self.writes = [(channel, value) for channel, value in writes]
        self.parent = parent
        super().__init__(
            (channel, value) for channel, value in self.writes if not channel.startswith(_INTERNAL)
        )


def _run(scope: Scope, original: Callable[..., Any], task: Any, *args: Any, **options: Any) -> Any:
    if not _is_step(task):
        return original(task, *args, **options)

    def execute() -> Written:
        with carried():
            try:
                original(task, *args, **options)
            except Exception as error:
                return _ended_by(task, error)
        return Written(task.writes)

    with unwrapped():
        written = scope.step(_call(scope, task), execute)
    if written is not None:
        return _settled(task, written)
    with scope.child(task.name).entered():
        return original(task, *args, **options)


async def _arun(
    scope: Scope, original: Callable[..., Awaitable[Any]], task: Any, *args: Any, **options: Any
) -> Any:
    if not _is_step(task):
        return await original(task, *args, **options)

    async def execute() -> Written:
        with carried():
            try:
                await original(task, *args, **options)
            except Exception as error:
                return _ended_by(task, error)
        return Written(task.writes)

    with unwrapped():
        written = await scope.astep(_call(scope, task), execute)
    if written is not None:
        return _settled(task, written)
    with scope.child(task.name).entered():
        return await original(task, *args, **options)


def _is_step(task: Any) -> bool:
    """Say whether *task* is the program's: a node or a task, and not LangGraph's own plumbing."""
    return frame_here() is not None and _HIDDEN not in (task.config.get("tags") or ())


def _call(scope: Scope, task: Any) -> Call:
    position = task.path[1] if len(task.path) > 1 else None
    request = {
        "input": without_ids(task.input),
        "step": task.config.get("metadata", {}).get("langgraph_step"),
        "index": position if isinstance(position, int) else None,
    }
    return Call(
        "task",
        task.name,
        request,
        adapter="langgraph",
        pure=True,  # known by its step in the graph; the effects inside it are steps themselves
        dump=lambda written: _dumped(scope, written),
        load=lambda stored: Written(*stored) if stored else None,
    )


def _dumped(scope: Scope, written: Written) -> Any:
    """Return what is recorded; nothing if it cannot be written, and the node is executed again.

    A graph's state may hold a connection or a data frame, and need not outlive the process.
    """
    stored = [written.writes, _portable(written.parent)]
    try:
        scope.run.codec.encode(stored)
    except EncodeError:
        return None
    return stored


def _portable(command: Any) -> Any:
    """Return a command that names its graph without ids of tasks, which change with the process."""
    if command is None or not isinstance(command.graph, str):
        return command
    parts = (part.split(":")[0] for part in command.graph.split("|"))
    graph = "|".join(part for part in parts if not part.isdigit())
    return dataclasses.replace(command, graph=graph)


def _ended_by(task: Any, error: Exception) -> Written:
    """Return what the node wrote if *error* is a command to a parent graph; else let it out."""
    from langgraph.errors import GraphInterrupt, ParentCommand

    if isinstance(error, ParentCommand):
        return Written((), error.args[0])
    if isinstance(error, GraphInterrupt):
        _remember(task, error)
    raise error


def _remember(task: Any, interrupt: Any) -> None:
    """Note where the interrupts come from: a question is identified by its place in the run."""
    frame, here = frame_here(), live_scope()
    assert frame is not None
    assert here is not None
    scratchpad = task.config.get("configurable", {}).get("__pregel_scratchpad")
    answered = len(getattr(scratchpad, "resume", ()))
    for one in interrupt.args[0] if interrupt.args else ():
        frame.places.setdefault(one.id, (here, answered))


def _settled(task: Any, written: Written) -> Any:
    """Leave the task as its execution, now or in an earlier process, left it."""
    if written.parent is not None:
        from langgraph.errors import ParentCommand

        raise ParentCommand(written.parent)
    task.writes.clear()
    task.writes.extend(written.writes)
    return next((value for channel, value in written.writes if channel == _RETURN), None)


SEAMS = tuple(
    Seam(
        f"langgraph.pregel._runner:{name}",
        "task",
        around,
        "finished nodes of a graph without a durable checkpointer are executed again",
        params=("task",),
        optional=True,
    )
    for name, around in (("run_with_retry", _run), ("arun_with_retry", _arun))
)
