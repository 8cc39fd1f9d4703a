"""What a flow was given: the data that names its lane.

Defaults are left out, since they may be made from time or chance: ids, factories of fields, values
that the flow's class holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ._state import crewai_names, holds_live, state_of

_ID = "id"
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_MISSING = object()


def flow_content(flow: Any, inputs: Any) -> Any:
    """Return what a flow is and was given: its class, inputs, arguments and state."""
    return [type(flow).__qualname__, inputs or {}, _arguments(flow), _state(flow)]


def resumed_content(flow: Any, feedback: Any) -> Any:
    """Return what a flow is and was given that continues after CrewAI's own pause."""
    return [type(flow).__qualname__, "resume", str(getattr(flow, "flow_id", "")), feedback]


def _arguments(flow: Any) -> dict[str, Any]:
    """Return what the flow's constructor was given, as far as the flow kept it by its name."""
    own = vars(flow)
    found = {name: own.get(name, own.get(f"_{name}", _MISSING)) for name in _parameters(flow)}
    return {
        name: value
        for name, value in found.items()
        if value is not _MISSING and not callable(value) and not holds_live(value)
    }


def _parameters(flow: Any) -> list[str]:
    theirs = crewai_names(type(flow))
    parameters = inspect.signature(type(flow).__init__).parameters.values()
    names = [one.name for one in parameters if one.kind not in _VARIADIC]
    declared: Mapping[str, Any] = getattr(type(flow), "model_fields", None) or {}
    given: set[str] = getattr(flow, "__pydantic_fields_set__", None) or set()
    names += [name for name in declared if name in given and not _has_factory(declared[name])]
    return sorted({name for name in names if name not in theirs} - {"self"})


def _state(flow: Any) -> dict[str, Any]:
    """Return the fields of the flow's state that hold more than a default."""
    parts = state_of(flow)
    fields = dict(parts["fields"])
    if "set" in parts:
        declared: Mapping[str, Any] = getattr(type(flow._state), "model_fields", None) or {}
        fields = {
            name: fields[name]
            for name in parts["set"]
            if name in fields and not (name in declared and _has_factory(declared[name]))
        }
        fields.update(parts.get("extra", {}))
    defaults = _class_defaults(flow)
    return {
        name: value
        for name, value in fields.items()
        if name != _ID and not _is(value, defaults.get(name, _MISSING)) and not holds_live(value)
    }


def _class_defaults(flow: Any) -> Mapping[str, Any]:
    """Return the fields of a state that the flow's class begins with."""
    declared = getattr(type(flow), "model_fields", {}).get("initial_state")
    initial = getattr(type(flow), "initial_state", None)
    if initial is None and declared is not None:
        initial = declared.default
    if isinstance(initial, Mapping):
        return initial
    fields = getattr(initial, "__dict__", None)
    return fields if isinstance(fields, dict) and not isinstance(initial, type) else {}


def plain_defaults(flow: Any) -> frozenset[str]:
    """Return the names of the state's fields whose defaults stand in the program's source."""
    fields = state_of(flow)["fields"]
    declared: Mapping[str, Any] = getattr(type(flow._state), "model_fields", None) or {}
    made = {name for name in declared if _has_factory(declared[name])} | {_ID}
    return frozenset(fields.keys() - made - _state(flow).keys())


def _has_factory(field: Any) -> bool:
    return getattr(field, "default_factory", None) is not None


def _is(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))
