"""What teams and agents were told, as data that is the same in every process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MADE = frozenset({"id", "created_at"})
"""Fields of a message that AutoGen fills in by itself."""


def content_of(said: Any) -> Any:
    """Return a task or messages without the ids and times of its messages."""
    if isinstance(said, list | tuple):
        return [content_of(one) for one in said]
    dump = getattr(said, "dump", None)
    if not callable(dump):
        return said
    fields = dump()
    if not isinstance(fields, Mapping):
        return said
    return {
        "type": type(said).__name__,
        **{name: value for name, value in fields.items() if name not in _MADE},
    }
