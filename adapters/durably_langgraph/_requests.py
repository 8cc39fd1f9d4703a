"""What makes two inputs the same: everything of a value but the ids that messages are given."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

_MESSAGES = "langchain_core.messages."
_VOLATILE = frozenset({"id"})
_CHANGE_NOTHING = frozenset({"durability", "control", "print_mode", "debug"})


def call_request(graph: Any, given: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies a call of a graph: its name, its input, and options that matter."""
    asked = {
        name: without_ids(value)
        for name, value in options.items()
        if value is not None and name not in _CHANGE_NOTHING
    }
    return {"graph": graph.get_name(), "input": without_ids(given), "options": asked}


def without_ids(value: Any) -> Any:
    """Return *value* with its messages told as data, without their ids.

    A message that comes without an id is given a random one.

    Example:
        >>> without_ids({"messages": [HumanMessage("Hi", id="7")]})  # doctest: +SKIP
        {'messages': [{'type': 'human', 'content': 'Hi'}]}
    """
    if isinstance(value, Mapping):
        return {key: without_ids(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_ids(item) for item in value]
    if _is_message(value):
        fields = {name: item for name, item in vars(value).items() if name not in _VOLATILE}
        return {name: item for name, item in fields.items() if item not in (None, [], {})}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name, None) for one in dataclasses.fields(value)}
        return {"class": type(value), **without_ids(fields)}
    if isinstance(getattr(type(value), "model_fields", None), Mapping):
        return {"class": type(value), **without_ids(vars(value))}
    return value


def _is_message(value: Any) -> bool:
    return any(
        cls.__module__.startswith(_MESSAGES) and cls.__name__ == "BaseMessage"
        for cls in type(value).__mro__
    )
