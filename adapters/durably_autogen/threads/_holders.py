"""Which parts of an agent or a team hold a conversation, and where each is found.

Agents, inner teams, termination conditions, memories and model contexts hold one, also those that
an agent reaches through a tool of its workbench.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MEMORY = "Memory"
CONTEXT = "ChatCompletionContext"
CONDITION = "TerminationCondition"
AGENTS = frozenset({"BaseChatAgent", "BaseGroupChat"})

_HOLDERS = AGENTS | {MEMORY, CONTEXT, CONDITION}
_WAYS = frozenset({"StaticWorkbench", "TaskRunnerTool"})
"""Classes that hold no conversation themselves, but objects that do."""


def bases_of(thing: object) -> set[str]:
    """Return the names of the classes that *thing* is an instance of."""
    return {cls.__name__ for cls in type(thing).__mro__}


def leads_to_holders(bases: set[str]) -> bool:
    """Say whether an object of these classes may hold others that hold a conversation."""
    return not bases.isdisjoint(_HOLDERS | _WAYS)


def holders(target: Any) -> dict[str, Any]:
    """Return what holds a part of *target*'s conversation, by its path; each object once.

    Paths are names of attributes, and indices or keys of containers, joined by dots. They are the
    same for a copy of *target*, and in another process that builds the same object.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = [("", target)]
    while todo:
        path, thing = todo.pop()
        bases = bases_of(thing)
        if leads_to_holders(bases):
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if not bases.isdisjoint(_HOLDERS):
                found[path] = thing
            parts: Iterable[tuple[Any, Any]] = list(vars(thing).items())
        elif type(thing) in (list, tuple):
            parts = list(enumerate(thing))
        elif type(thing) is dict:
            parts = list(thing.items())
        else:
            continue
        todo += [(f"{path}.{name}" if path else str(name), part) for name, part in parts]
    return found
