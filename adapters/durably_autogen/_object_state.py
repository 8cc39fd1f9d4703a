"""What an object of a program remembers: seen before and after it works, and put back on replay.

A custom agent or memory works unseen: its work is one step, and is not done again. What it keeps
in its attributes meanwhile (a history, a counter) would be lost with it, so that what changed is
recorded with the outcome. As in copies (see ``threads``), data and model contexts remember;
clients, connections and functions only work.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from durably.adapting import Run
from durably.errors import EncodeError

Place: TypeAlias = tuple[str, ...]
"""Names of attributes that lead from an object to a value."""

_DEPTH = 4
_CONTEXT = "ChatCompletionContext"


def remembered(run: Run, thing: object) -> dict[Place, bytes]:
    """Return what *thing* remembers now, as bytes to compare with."""
    return {place: data for place, _, data in _data_of(run, thing)}


def changed(run: Run, thing: object, before: Mapping[Place, bytes]) -> list[tuple[Place, Any]]:
    """Return what *thing* remembers now and did not before."""
    return [
        (place, value) for place, value, data in _data_of(run, thing) if before.get(place) != data
    ]


def put_back(thing: object, changes: list[tuple[Place, Any]]) -> None:
    """Have *thing* remember what :func:`changed` returned; objects in it stay the same objects."""
    for (*way, name), value in changes:
        holder: Any = thing
        for part in way:
            holder = vars(holder).get(part)
        if hasattr(holder, "__dict__"):
            vars(holder)[name] = _renewed(vars(holder).get(name), value)


def _data_of(run: Run, thing: object) -> Iterator[tuple[Place, Any, bytes]]:
    todo: list[tuple[Place, object]] = [((), thing)]
    seen: set[int] = set()
    while todo:
        way, holder = todo.pop()
        seen.add(id(holder))
        for name, value in list(vars(holder).items()):
            place = (*way, name)
            try:
                yield place, value, run.codec.encode(value)
            except EncodeError:
                if len(place) < _DEPTH and id(value) not in seen and _may_remember(value):
                    todo.append((place, value))


def _may_remember(value: object) -> bool:
    """Say whether to look into *value*: a model context, or an object of the program's own."""
    cls = type(value)
    if not hasattr(value, "__dict__") or callable(value):
        return False
    if any(base.__name__ == _CONTEXT for base in cls.__mro__):
        return True
    file = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    package = cls.__module__.partition(".")[0]
    return "site-packages" not in file and package not in sys.stdlib_module_names


def _renewed(old: Any, new: Any) -> Any:
    """Return *new*, in the shape of *old* if that can take it: others may hold *old* too."""
    if type(old) is not type(new):
        return new
    if isinstance(old, list):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif hasattr(old, "__dict__") and not isinstance(old, BaseException):
        vars(old).clear()
        vars(old).update(vars(new))
    else:
        return new
    return old
