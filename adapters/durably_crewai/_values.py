"""Forms of CrewAI's values: what identifies a request, what a tool's result is written as."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from durably.adapting import Scope
from durably.errors import EncodeError


@lru_cache(maxsize=128)
def class_schema(cls: type) -> Any:
    """Return a response class as data: its name and, if it has one, its JSON schema."""
    name = f"{cls.__module__}:{cls.__qualname__}"
    describe = getattr(cls, "model_json_schema", None)
    if describe is None:
        return name
    try:
        return {"class": name, "schema": describe()}
    except Exception:  # a field that JSON cannot describe
        return name


def without(mapping: Mapping[str, Any], keys: frozenset[str]) -> Mapping[str, Any]:
    """Return *mapping* without *keys*; itself if it has none of them."""
    if keys.isdisjoint(mapping):
        return mapping
    return {key: value for key, value in mapping.items() if key not in keys}


def writable(scope: Scope, tool: Any, value: Any, hint: type | None) -> Any:
    """Return *value*, or the text that the model is shown of it if it cannot be written.

    A tool may return a data frame or a connection. CrewAI gives the model a text made from it;
    that text is all that the rest of the run depends on.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    try:
        scope.run.codec.encode(value, hint=hint)
    except EncodeError:
        shown = getattr(tool, "format_output_for_agent", str)
        return str(shown(value))
    return value
