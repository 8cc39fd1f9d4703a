"""Calls of graphs: ``invoke``, ``stream`` and their asynchronous forms are one step each.

A graph that is called inside another's node is part of that node.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeAlias

from durably.adapting import Call, Scope, Seam, live_scope

from ._parts import asks, emit, joined
from ._requests import call_request
from ._rounds import Frame, frame_here
from ._signals import carried, unwrapped

_Config: TypeAlias = "Mapping[str, Any] | None"


def _invoke(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    input: Any,  # noqa: A002 - LangGraph's name, by which callers may pass it
    config: _Config = None,
    **options: Any,
) -> Any:
    if frame_here() is not None:
        return original(self, input, config, **options)

    def execute() -> Any:
        frame, given, results = _frame(self, config), input, list[Any]()
        with carried():
            if frame.may_continue:
                given = frame.first(given, self.get_state(frame.latest))
            while True:
                with frame.entered():
                    results.append(original(self, given, frame.config, **options))
                given = frame.answers(self.get_state(frame.latest)) if frame.may_ask else None
                if given is None:
                    return joined(results, options)

    with unwrapped():
        return scope.step(_call(self, input, options), execute)


async def _ainvoke(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    input: Any,  # noqa: A002 - as in _invoke
    config: _Config = None,
    **options: Any,
) -> Any:
    if frame_here() is not None:
        return await original(self, input, config, **options)

    async def execute() -> Any:
        frame, given, results = _frame(self, config), input, list[Any]()
        with carried():
            if frame.may_continue:
                given = frame.first(given, await self.aget_state(frame.latest))
            while True:
                with frame.entered():
                    results.append(await original(self, given, frame.config, **options))
                if not frame.may_ask:
                    return joined(results, options)
                given = frame.answers(await self.aget_state(frame.latest))
                if given is None:
                    return joined(results, options)

    with unwrapped():
        return await scope.astep(_call(self, input, options), execute)


def _stream(
    scope: Scope,
    original: Callable[..., Iterator[Any]],
    self: Any,
    input: Any,  # noqa: A002 - as in _invoke
    config: _Config = None,
    **options: Any,
) -> Iterator[Any]:
    if frame_here() is not None:
        return original(self, input, config, **options)

    def parts() -> Iterator[Any]:
        frame, given = _frame(self, config), input
        with carried():
            if frame.may_continue:
                given = frame.first(given, self.get_state(frame.latest))
            while True:
                for part in frame.each(original(self, given, frame.config, **options)):
                    if not asks(part):
                        emit(scope, self, part, options)
                        yield part
                given = frame.answers(self.get_state(frame.latest)) if frame.may_ask else None
                if given is None:
                    return

    def streamed() -> Iterator[Any]:
        with unwrapped():
            yield from scope.stream(_call(self, input, options), parts)

    return streamed()


async def _astream(
    scope: Scope,
    original: Callable[..., AsyncIterator[Any]],
    self: Any,
    input: Any,  # noqa: A002 - as in _invoke
    config: _Config = None,
    **options: Any,
) -> AsyncIterator[Any]:
    if frame_here() is not None:
        async for part in original(self, input, config, **options):
            yield part
        return

    async def parts() -> AsyncIterator[Any]:
        frame, given = _frame(self, config), input
        with carried():
            if frame.may_continue:
                given = frame.first(given, await self.aget_state(frame.latest))
            while True:
                async for part in frame.aeach(original(self, given, frame.config, **options)):
                    if not asks(part):
                        emit(scope, self, part, options)
                        yield part
                if not frame.may_ask:
                    return
                given = frame.answers(await self.aget_state(frame.latest))
                if given is None:
                    return

    with unwrapped():
        async for part in scope.astream(_call(self, input, options), parts):
            yield part


def _call(graph: Any, given: Any, options: Mapping[str, Any]) -> Call:
    return Call("task", graph.get_name(), call_request(graph, given, options))


def _frame(graph: Any, config: _Config) -> Frame:
    scope = live_scope()
    assert scope is not None
    return Frame(scope, graph, config)


SEAMS = tuple(
    Seam(
        f"langgraph.pregel.main:Pregel.{name}",
        "task",
        around,
        "calls of graphs are repeated, and their questions are not asked",
        params=("input", "config"),
    )
    for name, around in (
        ("invoke", _invoke),
        ("ainvoke", _ainvoke),
        ("stream", _stream),
        ("astream", _astream),
    )
)
