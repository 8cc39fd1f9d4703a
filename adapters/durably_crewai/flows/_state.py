"""What a flow's method leaves behind: the flow's state, and attributes set on the flow."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any

from durably.adapting import Codec, Scope
from durably.errors import CodecError

_LIVE = frozenset(
    {"BaseAgent", "BaseLLM", "BaseTool", "Crew", "CrewStructuredTool", "Flow", "Memory", "Task"}
)
"""CrewAI's classes whose objects do things; their fields alone do not make another one."""

_MISSING = object()


class Unwritable(Exception):  # noqa: N818 - it says what a value is
    """What a method left behind cannot be written, so the method has to be executed again."""


class Before:
    """A flow as a method found it.

    Args:
        codec: Says what is data.
        flow: The flow.
    """

    def __init__(self, codec: Codec, flow: Any) -> None:
        self._codec = codec
        self._flow = flow
        held = _own(flow)
        self._written = {name: self._encoded(value) for name, value in held.items()}
        self._held = held

    def left_behind(self) -> dict[str, Any]:
        """Return the state now, and what became of the attributes.

        Raises:
            Unwritable: Something of it is no data.
        """
        now = _own(self._flow)
        changed = {name: value for name, value in now.items() if self._is_new(name, value)}
        left: dict[str, Any] = {"state": state_of(self._flow)}
        if changed:
            left["attributes"] = changed
        if gone := sorted(self._held.keys() - now.keys()):
            left["deleted"] = gone
        if self._encoded(left) is None:
            raise Unwritable
        return left

    def data_left(self) -> dict[str, Any]:
        """Return the same without attributes that are no data, such as a crew that was made.

        Raises:
            Unwritable: The state itself is no data.
        """
        now = _own(self._flow)
        left: dict[str, Any] = {"state": state_of(self._flow)}
        if self._encoded(left) is None:
            raise Unwritable
        left["attributes"] = {
            name: value
            for name, value in now.items()
            if self._is_new(name, value) and self._encoded(value) is not None
        }
        left["deleted"] = sorted(self._held.keys() - now.keys())
        return left

    def _is_new(self, name: str, value: Any) -> bool:
        before = self._written.get(name)
        if before is None:
            return self._held.get(name, _MISSING) is not value
        return self._encoded(value) != before

    def _encoded(self, value: Any) -> bytes | None:
        return encoded(self._codec, value)


def encoded(codec: Codec, value: Any) -> bytes | None:
    """Return *value* as the journal would hold it; None if it is more than data.

    None, too, if a method beside is adding to it at this very moment.
    """
    try:
        return None if holds_live(value) else codec.encode(value)
    except (CodecError, RuntimeError):  # a mapping that changed its size
        return None


def is_data(scope: Scope, value: Any) -> bool:
    """Say whether *value* can be written, and be the same again when it is read."""
    return encoded(scope.run.codec, value) is not None


def state_of(flow: Any) -> dict[str, Any]:
    """Return a flow's state in parts; see :func:`restore`."""
    state = flow._state
    if isinstance(state, dict):
        return {"fields": dict(state)}
    parts = {"fields": dict(vars(state)), "set": sorted(state.__pydantic_fields_set__)}
    if state.__pydantic_extra__:
        parts["extra"] = dict(state.__pydantic_extra__)
    return parts


def restore(flow: Any, left: Mapping[str, Any]) -> None:
    """Leave *flow* as a finished method had left it; its state stays the same object."""
    restore_state(flow, left["state"])
    for name, value in left.get("attributes", {}).items():
        object.__setattr__(flow, name, value)
    for name in left.get("deleted", ()):
        vars(flow).pop(name, None)


def restore_state(flow: Any, parts: Mapping[str, Any]) -> None:
    """Give a flow's state the recorded values."""
    state = flow._state
    if isinstance(state, dict):
        _fill(state, parts["fields"])
        return
    _fill(vars(state), parts["fields"])
    object.__setattr__(state, "__pydantic_fields_set__", set(parts.get("set", ())))
    if "extra" in parts:
        object.__setattr__(state, "__pydantic_extra__", dict(parts["extra"]))


def _fill(held: dict[Any, Any], values: Mapping[Any, Any]) -> None:
    """Give a mapping these values and no others.

    Lists and mappings in it stay the same objects: a method beside may be in the middle of
    ``state["log"].append(crew.kickoff())``, and has got hold of the list already.
    """
    for name in held.keys() - values.keys():
        del held[name]
    for name, value in values.items():
        held[name] = _same_object(held.get(name), value)


def _same_object(held: Any, value: Any) -> Any:
    if type(held) is dict and type(value) is dict:
        _fill(held, value)
        return held
    if type(held) is list and type(value) is list:
        common = map(_same_object, held, value)
        held[:] = [*common, *value[len(held) :]]
        return held
    return value


def _own(flow: Any) -> dict[str, Any]:
    """Return the attributes of a flow that are its class's own, and none of CrewAI's."""
    theirs = crewai_names(type(flow))
    return {name: value for name, value in vars(flow).items() if name not in theirs}


def crewai_names(cls: type) -> frozenset[str]:
    """Return the names of attributes that CrewAI keeps on flows itself."""
    base = next(one for one in cls.__mro__ if one.__name__ == "Flow" and _is_theirs(one))
    names = set(getattr(base, "model_fields", ()))
    names.update(getattr(base, "__private_attributes__", ()))
    if not names:  # before 1.14 a flow was no pydantic model
        names.update(vars(base)["__init__"].__code__.co_names)
    return frozenset({*names, "_flow_post_init_done"})


def holds_live(value: Any) -> bool:
    """Say whether *value* is or holds an object that does things, such as a crew or a model."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if one is None or isinstance(one, str | bytes | int | float) or id(one) in seen:
            continue
        seen.add(id(one))
        if any(cls.__name__ in _LIVE and _is_theirs(cls) for cls in type(one).__mro__):
            return True
        todo.extend(_parts(one))
    return False


def _parts(value: Any) -> Iterable[Any]:
    """Return what is written of a value besides itself: parts of containers, fields of data."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return value
    is_data_class = hasattr(type(value), "model_fields") or is_dataclass(value)
    return list(vars(value).values()) if is_data_class and hasattr(value, "__dict__") else ()


def _is_theirs(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "crewai"


def pristine(flow: Any) -> Mapping[str, Any]:
    """Return copies of a flow's state and attributes, to begin each run with the same.

    What cannot be copied, such as a connection, is shared by all runs.
    """
    return {"state": _copied(flow._state), "own": {k: _copied(v) for k, v in _own(flow).items()}}


def _copied(value: Any) -> Any:
    if holds_live(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # a lock, a connection
        return value


def make_new(flow: Any, kept: Mapping[str, Any]) -> None:
    """Have *flow* begin anew with what :func:`pristine` kept, under an id of its own."""
    for name in _own(flow).keys() - kept["own"].keys():
        vars(flow).pop(name)
    for name, value in kept["own"].items():
        object.__setattr__(flow, name, _copied(value))
    flow._state = state = _copied(kept["state"])
    fresh = flow._create_initial_state()
    if _id(fresh) != _id(flow._create_initial_state()):  # nobody chose the id
        if isinstance(state, dict):
            state["id"] = _id(fresh)
        else:
            object.__setattr__(state, "id", _id(fresh))


def _id(state: Any) -> Any:
    return state.get("id") if isinstance(state, dict) else getattr(state, "id", None)
