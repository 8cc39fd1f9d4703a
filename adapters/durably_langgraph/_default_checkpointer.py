"""The checkpointer lent to a graph that has none, so that its nodes can ask people.

It lasts for one call and keeps the objects themselves: a graph that was compiled without a
checkpointer may hold what no serializer takes, and shares its values between nodes anyway.
"""

from __future__ import annotations

import copy
from itertools import count
from typing import Any


class _ByReference:
    """A LangGraph serializer that writes down where an object is kept.

    Containers are copied, since LangGraph changes checkpoints that it has read.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, Any] = {}
        self._numbers = count()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        key = b"%d" % next(self._numbers)
        self._kept[key] = _copied(obj)
        return "kept", key

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return _copied(self._kept[data[1]])


def _copied(value: Any) -> Any:
    """Copy containers and what they contain, and keep everything else."""
    if isinstance(value, dict):
        made = copy.copy(value)
        made.update((key, _copied(item)) for key, item in value.items())
        return made
    if type(value) is list:
        return [_copied(item) for item in value]
    if type(value) is tuple:
        return tuple(_copied(item) for item in value)
    return copy.copy(value) if type(value) is set else value


def lent_checkpointer() -> Any:
    """Return a new checkpointer whose contents go with it."""
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver(serde=_ByReference())
