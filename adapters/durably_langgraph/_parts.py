"""Parts of LangGraph's streams, in the shapes that its options give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durably.adapting import Scope

_INTERRUPT = "__interrupt__"
_TOLD_BY_STEPS = frozenset({"updates", "tasks"})


def asks(part: Any) -> bool:
    """Say whether *part* only tells that the graph waits for an answer, which is our business."""
    if isinstance(part, Mapping) and "type" in part and "ns" in part:
        return bool(part.get("interrupts")) or _names_interrupts(part.get("data"))
    return _names_interrupts(part[-1] if isinstance(part, tuple) and part else part)


def _names_interrupts(data: Any) -> bool:
    return isinstance(data, Mapping) and bool(data.get(_INTERRUPT))


def joined(results: list[Any], options: Mapping[str, Any]) -> Any:
    """Return the result of a call from those of its rounds."""
    if options.get("stream_mode", "values") == "values":
        return results[-1]
    return [part for result in results for part in result if not asks(part)]


def emit(scope: Scope, graph: Any, part: Any, options: Mapping[str, Any]) -> None:
    """Pass *part* on to whoever streams the run; what nodes did is told by their steps."""
    if scope.run.sink is None:
        return
    namespace, mode, data = _split(graph, part, options)
    if mode not in _TOLD_BY_STEPS and not (mode == "messages" and _tokens_are_told()):
        lanes = tuple(filter(None, scope.lane.path.split("/")))
        scope.run.emit(mode, (*lanes, *namespace), data)


def _tokens_are_told() -> bool:
    """Say whether models tell their tokens to the run's stream themselves.

    An entrypoint whose messages are streamed has put a handler of its own into the configuration
    that graphs and models inherit.
    """
    from langchain_core.runnables.config import var_child_runnable_config

    callbacks: Any = (var_child_runnable_config.get() or {}).get("callbacks") or ()
    handlers = getattr(callbacks, "handlers", callbacks)
    return any(type(one).__module__.partition(".")[0] == "durably" for one in handlers)


def _split(graph: Any, part: Any, options: Mapping[str, Any]) -> tuple[tuple[str, ...], str, Any]:
    """Return a part's namespace, mode and data."""
    if options.get("version") == "v2":
        return part["ns"], part["type"], part["data"]
    mode = options.get("stream_mode") or graph.stream_mode
    several, nested = isinstance(mode, list), bool(options.get("subgraphs"))
    if several and nested:
        namespace, mode, data = part
        return namespace, mode, data
    if several:
        return (), part[0], part[1]
    if nested:
        return part[0], mode, part[1]
    return (), mode, part
