"""Forms of CrewAI's values: what identifies a request, what a tool's result is written as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from durably.adapting import Scope, TypeCodec
from durably.errors import EncodeError

_ADDRESS = re.compile(r"call_\d{9,}")
"""A call's id made with ``id()``; see crewai/utilities/agent_utils.py."""


def _azure(name: str, tag: str) -> TypeCodec[Any]:
    """Return how a value of Azure's is written, which is a mapping in disguise."""

    def decode(data: Any) -> Any:
        from azure.ai.inference import models

        return getattr(models, name)(data)

    written = f"azure.ai.inference.models._models:{name}"
    return TypeCodec(written, tag, lambda value: value.as_dict(), decode)


def _unlocked(module: str, name: str, plain: type) -> TypeCodec[Any]:
    """Return how a part of a flow's state is written, which holds a lock before 1.15."""
    return TypeCodec(f"{module}:{name}", f"{module}:{name}", plain, lambda data: data)


CODECS = (
    _azure("ChatCompletionsToolCall", "azure-tool-call"),
    _azure("FunctionCall", "azure-function-call"),
    _unlocked("crewai.flow.flow", "LockedListProxy", list),
    _unlocked("crewai.flow.flow", "LockedDictProxy", dict),
    _unlocked("crewai.flow.runtime", "LockedListProxy", list),
    _unlocked("crewai.flow.runtime", "LockedDictProxy", dict),
)


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


def with_steady_ids(messages: list[Any]) -> list[Any]:
    """Return *messages* with the ids that CrewAI makes of addresses replaced by their order.

    Calls of models that give them no id (Gemini's) get one that is another in every process.
    """
    found: dict[str, str] = {}

    def steady(identity: Any) -> Any:
        if isinstance(identity, str) and _ADDRESS.fullmatch(identity):
            return found.setdefault(identity, f"call_{len(found)}")
        return identity

    def message_with(message: Any) -> Any:
        if not isinstance(message, Mapping):
            return message
        changed = dict(message)
        if changed.get("tool_calls"):
            changed["tool_calls"] = [
                {**call, "id": steady(call.get("id"))} if isinstance(call, Mapping) else call
                for call in changed["tool_calls"]
            ]
        if "tool_call_id" in changed:
            changed["tool_call_id"] = steady(changed["tool_call_id"])
        return changed if changed != message else message

    return [message_with(message) for message in messages]


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
