"""Spans: crews, their tasks, their agents' turns. They are executed again on resume."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from durably.adapting import Scope, fingerprint

from ._callbacks import calls_recorded, put_back
from ._lane_contents import agent_content, crew_content, task_contents_kept, task_naming
from ._parallel import enter_branch, tasks_joined, threads_joined
from ._time_limits import time_limit_recorded

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
    with _named_crew_span(scope, self, inputs), threads_joined():
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
    with _named_crew_span(scope, self, inputs), threads_joined():
        async with tasks_joined():
            return await original(self, inputs, *args, **kwargs)


def _is_passage(scope: Scope, crew: Any) -> bool:
    """Say whether a kickoff only leads to another one of the same crew.

    ``kickoff_async`` calls ``kickoff`` in a thread. A streaming crew returns an iterator at once,
    and kicks itself off without streaming when that is consumed.
    """
    return scope.lane.owner == _owner(crew) or bool(getattr(crew, "stream", False))


@contextmanager
def crew_span(scope: Scope, crew: Any, inputs: Any = None, **naming: Any) -> Generator[Scope]:
    """Enter a crew's lane.

    Args:
        scope: The place around it.
        crew: The crew.
        inputs: What it is kicked off with, if that is known yet.
        naming: What names the lane among others (see ``Scope.span``); nothing if it is alone.
    """
    name = str(getattr(crew, "name", None) or "crew")
    with (
        scope.span("crew", name, "crew", owner=_owner(crew), **naming) as inner,
        task_contents_kept(crew, inputs),
        calls_recorded(crew, *_CREW_CALLS),
    ):
        yield inner
    put_back(crew.tasks, "callback")
    put_back(crew.agents, "step_callback")


def _named_crew_span(scope: Scope, crew: Any, inputs: Any) -> AbstractContextManager[Scope]:
    """Enter the lane of a crew that the program kicks off, named by what it is and was given."""
    content, former = crew_content(crew, inputs), _former_crew_segment(crew, inputs)
    return crew_span(scope, crew, inputs, given=content, former=former)


def _owner(crew: Any) -> Hashable:
    return ("crew", id(crew))


def _former_crew_segment(crew: Any, inputs: Any) -> str:
    """Return the segment of a crew's lane in runs that were begun before content named it."""
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
    crew = getattr(agent or task.agent, "crew", None)
    naming = task_naming(scope, task, crew, is_alone=on_main_line())
    with (
        scope.span("task", _task_name(task), **naming) as inner,
        calls_recorded(task, "callback"),
    ):
        yield inner


def _task_name(task: Any) -> str:
    text = " ".join(str(task.name or task.description).split())
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"


def execute_task(
    scope: Scope, original: Callable[..., Any], self: Any, task: Any, *args: Any, **kwargs: Any
) -> Any:
    """Enter an agent's turn; its own retry, which calls itself, re-enters the same lane."""
    with _turn_span(scope, self, task):
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
    with _turn_span(scope, self, task):
        return await original(self, task, *args, **kwargs)


@contextmanager
def _turn_span(scope: Scope, agent: Any, task: Any) -> Generator[None]:
    """Enter an agent's turn in a task, which its time limit may end."""
    is_retry = scope.lane.owner == _turn(agent, task)
    with time_limit_recorded(scope, agent, is_retry=is_retry), _agent_span(scope, agent, task):
        yield


def _turn(agent: Any, task: Any) -> Hashable:
    return ("agent", id(agent), id(task))


@contextmanager
def _agent_span(scope: Scope, agent: Any, task: Any, **naming: Any) -> Generator[Scope]:
    role = " ".join(str(agent.role).split())
    # In a task agents have their turns one after the other: one whose role was edited is the same.
    segment = f"agent:{role}" if task is None else "agent"
    # A crew makes its agents' executors before their turns; they hold the callback as well.
    executor = vars(agent).get("agent_executor") or agent
    with (
        scope.span("agent", role, segment, owner=_turn(agent, task), **naming) as inner,
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
    with _agent_span(scope, self, None, given=agent_content(self, args, kwargs)):
        return original(self, *args, **kwargs)


async def agent_akickoff(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Enter an agent that works without a crew, for ``Agent.kickoff_async``."""
    with _agent_span(scope, self, None, given=agent_content(self, args, kwargs)):
        return await original(self, *args, **kwargs)
