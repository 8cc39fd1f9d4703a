"""Which parameters the runtime fills in: ``config, writer, store, previous, runtime``.

The rules are LangGraph's: a parameter is filled in if it has one of these names and its
annotation, where it matters, is the matching one or none. What a caller gives by keyword wins.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, get_args

from ..types import StreamWriter

_TYPES: Mapping[str, frozenset[str]] = {
    "config": frozenset({"RunnableConfig"}),
    "writer": frozenset({"StreamWriter"}),
    "store": frozenset({"BaseStore", "InMemoryStore", "SqliteStore", "PostgresStore"}),
}
_ANY_TYPE = ("previous", "runtime")
FILLED_IN = frozenset({*_TYPES, *_ANY_TYPE})
"""Names of parameters that the runtime fills in."""
_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def injected(function: Callable[..., Any], *, skip_first: bool = False) -> tuple[str, ...]:
    """Return the names of the parameters that are filled in.

    Args:
        function: Whose parameters.
        skip_first: Whether the first parameter is the input, whatever it is called.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()
    names: list[str] = []
    for parameter in parameters[1:] if skip_first else parameters:
        if parameter.kind not in _KINDS:
            continue
        if parameter.name in _ANY_TYPE or (
            parameter.name in _TYPES and _fits(parameter.name, parameter.annotation, function)
        ):
            names.append(parameter.name)
    return tuple(names)


def positions(function: Callable[..., Any]) -> Mapping[str, int]:
    """Return which argument by position each parameter takes that can be given by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {one.name: at for at, one in enumerate(parameters) if one.kind in kinds}


def _fits(name: str, annotation: Any, function: Callable[..., Any]) -> bool:
    """Say whether *annotation* is one under which *name* is filled in."""
    if annotation is inspect.Parameter.empty or annotation == StreamWriter:
        return True
    if _TYPES[name] & _names(annotation):
        return True
    if name == "config":
        warnings.warn(
            f"parameter 'config' of {getattr(function, '__qualname__', function)!r} is annotated "
            f"with {annotation!r} and is not filled in; annotate it with RunnableConfig",
            UserWarning,
            stacklevel=4,
        )
    return False


def _names(annotation: Any) -> frozenset[str]:
    """Return the class names in an annotation, written out or not, optional or not."""
    if isinstance(annotation, str):
        text = annotation.replace("Optional[", "").replace("]", "")
        return frozenset(part.strip().rpartition(".")[2] for part in text.split("|"))
    parts = get_args(annotation) or (annotation,)
    named = {getattr(part, "__name__", "") for part in parts}
    if isinstance(annotation, type):
        named |= {base.__name__ for base in annotation.__mro__}
    return frozenset(named)
