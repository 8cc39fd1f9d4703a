"""Contents of the lanes of crews, tasks and lone agents: the data that names them.

Texts are taken as they were before CrewAI wrote inputs, plans and dates into them: what another
process writes there may differ, and the lane is the same.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from durably.adapting import Scope, fingerprint

_KEY = 6
_AGENT_TEXTS = ("role", "goal", "backstory")
_TASK_TEXTS = ("description", "expected_output")

_tasks: ContextVar[dict[int, Any] | None] = ContextVar("durably_crewai_tasks_given", default=None)
"""Contents of the tasks of the crew around the calling code, by their objects' ids."""


def crew_content(crew: Any, inputs: Any) -> Any:
    """Return what a crew is and was given: texts of its agents and tasks, and its inputs."""
    is_written = _writes_inputs(crew, inputs)
    agents = [_texts(agent, _AGENT_TEXTS, is_written) for agent in crew.agents]
    tasks = [_texts(task, _TASK_TEXTS, is_written) for task in crew.tasks]
    return [agents, tasks, inputs or {}]


@contextmanager
def task_contents_kept(crew: Any, inputs: Any) -> Generator[None]:
    """Keep the contents of a crew's tasks while it works, before it changes their texts."""
    is_written = _writes_inputs(crew, inputs)
    kept = {id(task): _texts(task, _TASK_TEXTS, is_written) for task in crew.tasks}
    token = _tasks.set(kept)
    try:
        yield
    finally:
        _tasks.reset(token)


def task_naming(scope: Scope, task: Any, crew: Any, *, is_alone: bool) -> dict[str, Any]:
    """Return the arguments of ``Scope.span`` that name a task's lane.

    Args:
        scope: Where the task is executed.
        task: The task.
        crew: Its agent's crew, if it has one.
        is_alone: Whether nothing can run beside the calling code.
    """
    tasks = list(getattr(crew, "tasks", None) or ())
    place = next((i for i, one in enumerate(tasks) if one is task), None)
    kept = _tasks.get()
    if place is not None:
        known = {} if kept is None else kept
        contents = [known.setdefault(id(one), _texts(one, _TASK_TEXTS, False)) for one in tasks]
        return {
            "segment": "task",
            "given": contents[place],
            "siblings": contents,
            "former": f"task[{place}]",
        }
    texts = _texts(task, _TASK_TEXTS, False)
    made = "task" if is_alone else f"task:{fingerprint(texts)[0].hex()[:_KEY]}"
    if kept is not None and scope.leaf is None:
        # CrewAI made it on the way (a plan, an evaluation). Its text may name objects, such as the
        # tools that a crew is planned with, by what differs in each process.
        return {"segment": made}
    return {"segment": "task", "given": texts, "former": made}


def agent_content(agent: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what an agent without a task is and was told."""
    messages = args[0] if args else kwargs.get("messages")
    return [agent.goal, agent.backstory, messages]


def _writes_inputs(crew: Any, inputs: Any) -> bool:
    """Say whether CrewAI will write inputs into the original texts, whatever these hold now."""
    return inputs is not None or bool(getattr(crew, "before_kickoff_callbacks", None))


def _texts(owner: Any, names: tuple[str, ...], is_written: bool) -> list[Any]:
    originals = (getattr(owner, f"_original_{name}", None) for name in names)
    now = (getattr(owner, name, None) for name in names)
    return [(is_written and before) or text for before, text in zip(originals, now, strict=True)]
