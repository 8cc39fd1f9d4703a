"""What a flow keeps and finds in a database of CrewAI's: done once, and found again as it was.

A flow that is continued must find what it found the first time, not what its own methods have
saved since; and what they saved is not saved again over what came later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from durably.adapting import Call, Scope

_NAMES = ("flow_uuid", "method_name")


def load(scope: Scope, original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    """Journal what ``load_state`` and ``load_pending_feedback`` of a persistence return."""
    return _kept(scope, original, self, args, kwargs)


def save(scope: Scope, original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    """Have what a persistence saves or clears be saved or cleared once."""
    return _kept(scope, original, self, args, kwargs)


def _kept(
    scope: Scope,
    original: Callable[..., Any],
    persistence: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    if scope.leaf is not None:  # one that is made of others, or used by a tool
        return original(persistence, *args, **kwargs)
    given = {**dict(zip(_NAMES, args, strict=False)), **kwargs}
    request = {name: str(given[name]) for name in _NAMES if name in given}
    call = Call("memory", original.__name__, request, adapter="crewai")
    return scope.step(call, lambda: original(persistence, *args, **kwargs))
