"""How a wrapped graph is recognised and run."""

from __future__ import annotations

from typing import Any

from durably.adapting import Entry, live_scope

_CLASS = ("langgraph.pregel.main", "Pregel")


def claims(target: object) -> bool:
    """Say whether *target* is a compiled graph, without importing LangGraph."""
    return any((cls.__module__, cls.__qualname__) == _CLASS for cls in type(target).__mro__)


def entry(target: Any) -> Entry:
    """Return how a run of a graph is begun.

    A graph with a checkpointer of its own keeps its state under the run's thread id, so that the
    runs of one thread go on with one conversation.
    """

    def invoke(given: Any) -> Any:
        return target.invoke(given, _config())

    async def ainvoke(given: Any) -> Any:
        return await target.ainvoke(given, _config())

    name = target.get_name()
    return Entry("langgraph:graph", invoke, ainvoke, name, f"langgraph:{name}")


def _config() -> dict[str, Any]:
    scope = live_scope()
    assert scope is not None
    return {"configurable": {"thread_id": scope.run.info.thread}}
