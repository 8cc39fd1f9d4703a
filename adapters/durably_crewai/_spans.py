"""Spans: crews, their tasks, their agents' turns. They are executed again on resume."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import contextmanager
from typing import Any

from durably.adapting import Scope, fingerprint

from ._callbacks import calls_recorded, put_back
from ._parallel import enter_branch, tasks_joined, threads_joined

_CREW_CALLS = (
    "before_kickoff_callbacks",
    "after_kickoff_callbacks",
    "task_callback",
    "step_callback",
)
_KEY = 6
_NAME = 40


def kickoff(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    inputs: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a crew for ``Crew.kickoff``."""
    if _is_passage(scope, self):
        return original(self, inputs, *args, **kwargs)
    with crew_span(scope, self, _crew_segment(self, inputs)), threads_joined():
        return original(self, inputs, *args, **kwargs)


async def akickoff(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    inputs: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter a crew for ``Crew.kickoff_async`` and ``Crew.akickoff``."""
    if _is_passage(scope, self):
        return await original(self, inputs, *args, **kwargs)
    with crew_span(scope, self, _crew_segment(self, inputs)), threads_joined():
        async with tasks_joined():
            return await original(self, inputs, *args, **kwargs)


def _is_passage(scope: Scope, crew: Any) -> bool:
    """Say whether a kickoff only leads to another one of the same crew.

    ``kickoff_async`` calls ``kickoff`` in a thread. A streaming crew returns an iterator at once,
    and kicks itself off without streaming when that is consumed.
    """
    return scope.lane.owner == _owner(crew) or bool(getattr(crew, "stream", False))


@contextmanager
def crew_span(scope: Scope, crew: Any, segment: str = "crew") -> Generator[Scope]:
    """Enter a crew's lane."""
    name = str(getattr(crew, "name", None) or "crew")
    with (
        scope.span("crew", name, segment, owner=_owner(crew)) as inner,
        calls_recorded(crew, *_CREW_CALLS),
    ):
        yield inner
    put_back(crew.tasks, "callback")
    put_back(crew.agents, "step_callback")


def _owner(crew: Any) -> Hashable:
    return ("crew", id(crew))


def _crew_segment(crew: Any, inputs: Any) -> str:
    """Name a crew's lane, the same in every process.

    On the program's main line crews come one after the other, so their order tells them apart,
    and neither an edited description nor today's date among the inputs makes another lane of it:
    the steps that differ are found one by one. Where crews may run at the same time, what they
    are and what they were given must tell them apart.
    """
    if on_main_line():
        return "crew"
    given = fingerprint(inputs or {})[0].hex()
    return f"crew:{str(crew.key)[:_KEY]}:{given[:_KEY]}"


def on_main_line() -> bool:
    """Say whether nothing can run beside the calling code: the main thread, and no event loop."""
    return threading.current_thread() is threading.main_thread() and not _in_event_loop()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def execute_core(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    agent: Any,
    *args: Any,
) -> Any:
    """Enter a task for ``Task._execute_core``."""
    with _task_span(scope, self, agent) as inner:
        output = original(self, agent, *args)
        inner.emit("updates", {_task_name(self): output})
        return output


async def aexecute_core(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    agent: Any,
    *args: Any,
) -> Any:
    """Enter a task for ``Task._aexecute_core``."""
    enter_branch()
    with _task_span(scope, self, agent) as inner:
        output = await original(self, agent, *args)
        inner.emit("updates", {_task_name(self): output})
        return output


@contextmanager
def _task_span(scope: Scope, task: Any, agent: Any) -> Generator[Scope]:
    with (
        scope.span("task", _task_name(task), _task_segment(task, agent)) as inner,
        calls_recorded(task, "callback"),
    ):
        yield inner


def _task_name(task: Any) -> str:
    text = " ".join(str(task.name or task.description).split())
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"


def _task_segment(task: Any, agent: Any) -> str:
    """Name a task's lane by its place in the crew, as crews' lanes if it was made on the way.

    The text of one that CrewAI made may name objects by their addresses (the tools that a crew is
    planned with), which are others in each process.
    """
    crew = getattr(agent or task.agent, "crew", None)
    places = (i for i, one in enumerate(getattr(crew, "tasks", None) or ()) if one is task)
    place = next(places, None)
    if place is not None:
        return f"task[{place}]"
    if on_main_line():
        return "task"
    text = fingerprint([task.description, task.expected_output])[0].hex()
    return f"task:{text[:_KEY]}"


def execute_task(
    scope: Scope, original: Callable[..., Any], self: Any, task: Any, *args: Any, **kwargs: Any
) -> Any:
    """Enter an agent's turn; its own retry, which calls itself, re-enters the same lane."""
    with _agent_span(scope, self, task):
        return original(self, task, *args, **kwargs)


async def aexecute_task(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    task: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Enter an agent's turn as :func:`execute_task` does."""
    with _agent_span(scope, self, task):
        return await original(self, task, *args, **kwargs)


@contextmanager
def _agent_span(scope: Scope, agent: Any, task: Any) -> Generator[Scope]:
    role = " ".join(str(agent.role).split())
    owner = ("agent", id(agent), id(task))
    # In a task agents have their turns one after the other: one whose role was edited is the same.
    segment = f"agent:{role}" if task is None else "agent"
    # A crew makes its agents' executors before their turns; they hold the callback as well.
    executor = vars(agent).get("agent_executor") or agent
    with (
        scope.span("agent", role, segment, owner=owner) as inner,
        calls_recorded(agent, "step_callback"),
        calls_recorded(executor, "step_callback"),
    ):
        yield inner


def agent_kickoff(
    scope: Scope, original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Enter an agent that works without a crew, for ``Agent.kickoff``."""
    if _in_event_loop():  # CrewAI returns kickoff_async's coroutine then
        return original(self, *args, **kwargs)
    with _agent_span(scope, self, None):
        return original(self, *args, **kwargs)


async def agent_akickoff(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Enter an agent that works without a crew, for ``Agent.kickoff_async``."""
    with _agent_span(scope, self, None):
        return await original(self, *args, **kwargs)
