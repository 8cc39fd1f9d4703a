"""The checkpointer lent to a graph that has none, so that its nodes can ask people.

It lasts for one call and keeps the objects themselves: a graph that was compiled without a
checkpointer may hold what no serializer takes, and shares its values between nodes anyway.
"""

from __future__ import annotations

from itertools import count
from typing import Any


class _ByReference:
    """A LangGraph serializer that writes down where an object is kept."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Any] = {}
        self._numbers = count()

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        key = b"%d" % next(self._numbers)
        self._kept[key] = value
        return "kept", key

    def loads_typed(self, stored: tuple[str, bytes]) -> Any:
        return self._kept[stored[1]]


def lent_checkpointer() -> Any:
    """Return a new checkpointer whose contents go with it."""
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver(serde=_ByReference())
