"""The two sides of a comparison: the same names, from LangGraph and from durably."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

NAMES = (
    "BaseStore",
    "CachePolicy",
    "Command",
    "InMemoryCache",
    "InMemorySaver",
    "InMemoryStore",
    "Interrupt",
    "RetryPolicy",
    "RunControl",
    "Runtime",
    "StateSnapshot",
    "StreamWriter",
    "TimeoutPolicy",
    "entrypoint",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
    "task",
)
"""What a program may use; every name means the same on both sides."""


def langgraph() -> Any:
    """Return LangGraph's side."""
    import langgraph.cache.memory
    import langgraph.checkpoint.memory
    import langgraph.config
    import langgraph.func
    import langgraph.runtime
    import langgraph.store.base
    import langgraph.store.memory
    import langgraph.types

    return _side(
        "langgraph",
        langgraph.func,
        langgraph.types,
        langgraph.checkpoint.memory,
        langgraph.config,
        langgraph.runtime,
        langgraph.store.base,
        langgraph.store.memory,
        langgraph.cache.memory,
    )


def durably() -> Any:
    """Return durably's side."""
    import durably

    return _side("durably", durably)


def _side(name: str, *modules: Any) -> Any:
    side = SimpleNamespace(name=name)
    for wanted in NAMES:
        found = [getattr(module, wanted) for module in modules if hasattr(module, wanted)]
        assert found, f"{name} has no {wanted}"
        setattr(side, wanted, found[0])
    return side
