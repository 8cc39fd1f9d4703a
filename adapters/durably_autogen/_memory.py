"""Memories: what is asked of one that lies elsewhere, and what is put there, are steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from durably.adapting import Call, Scope, Seam

from ._object_state import changed, put_back, remembered
from .threads._loans import of_run

_IN_PROCESS = ("autogen_core.memory", "autogen_ext.memory.canvas")
"""Where AutoGen's memories live that are nothing but objects of the process."""


async def _query(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, query: Any, **options: Any
) -> Any:
    own = of_run(scope.run, self)
    return await _use(scope, own, "query", query, lambda: original(own, query, **options))


async def _add(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    content: Any,
    *args: Any,
    **options: Any,
) -> Any:
    own = of_run(scope.run, self)
    return await _use(scope, own, "add", content, lambda: original(own, content, *args, **options))


async def _clear(scope: Scope, original: Callable[..., Awaitable[Any]], self: Any) -> Any:
    own = of_run(scope.run, self)
    return await _use(scope, own, "clear", None, lambda: original(own))


async def _use(
    scope: Scope, memory: Any, verb: str, about: Any, call: Callable[[], Awaitable[Any]]
) -> Any:
    """Do what is asked of *memory* as a step; one that lies in the process is filled again."""
    kind = type(memory)
    if scope.within("memory") or kind.__module__.startswith(_IN_PROCESS):
        return await call()
    run = scope.run
    before = remembered(run, memory)

    def load(stored: Any) -> Any:
        put_back(memory, stored["changes"])
        return stored["value"]

    step = Call(
        "memory",
        f"{kind.__name__}.{verb}",
        about,
        dump=lambda value: {"value": value, "changes": changed(run, memory, before)},
        load=load,
        effect=verb != "query",
        adapter="autogen",
    )
    return await scope.astep(step, call)


SEAMS = (
    Seam(
        "autogen_core.memory:Memory.query",
        "memory",
        _query,
        "memories in other places are asked again",
        params=("query",),
        subclasses=True,
    ),
    Seam(
        "autogen_core.memory:Memory.add",
        "memory",
        _add,
        "what is put into memories in other places is put there again",
        params=("content",),
        subclasses=True,
    ),
    Seam(
        "autogen_core.memory:Memory.clear",
        "memory",
        _clear,
        "memories in other places are cleared again, with what came into them since",
        subclasses=True,
    ),
)
