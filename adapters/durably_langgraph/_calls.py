"""Calls of graphs: ``invoke``, ``stream`` and their asynchronous forms are one step each.

A graph that is called inside another's node is part of that node.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, TypeAlias

from durably.adapting import Call, Scope, Seam, live_scope

from ._parts import asks, emit, joined
from ._requests import call_request
from ._rounds import Frame, frame_here
from ._signals import carried, unwrapped
from ._token_stream import atapped, tapped

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
        frame, results = _frame(self, config), list[Any]()
        with carried():
            given = frame.begin(input)
            while True:
                with frame.invoking():
                    results.append(original(self, given, frame.config, **options))
                given = frame.go_on()
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
        frame, results = _frame(self, config), list[Any]()
        with carried():
            given = await frame.abegin(input)
            while True:
                with frame.invoking():
                    results.append(await original(self, given, frame.config, **options))
                given = await frame.ago_on()
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
    around = frame_here()
    if around is not None:
        source = partial(original, self, input, config)
        if around.is_tapped():
            source = partial(tapped, around, self, source)
        return source(**options)

    def parts() -> Iterator[Any]:
        frame = _frame(self, config)
        with carried():
            given = frame.begin(input)
            while True:
                for part in frame.each(original(self, given, frame.config, **options)):
                    if not asks(part):
                        emit(frame.scope, self, part, options)
                        yield part
                given = frame.go_on()
                if given is None:
                    return

    def streamed() -> Iterator[Any]:
        with unwrapped():
            yield from scope.stream(_call(self, input, options), parts)

    return streamed()


async def _astream(
    scope: Scope,
    original: Callable[..., AsyncGenerator[Any, None]],
    self: Any,
    input: Any,  # noqa: A002 - as in _invoke
    config: _Config = None,
    **options: Any,
) -> AsyncIterator[Any]:
    around = frame_here()
    if around is not None:
        source = partial(original, self, input, config)
        if around.is_tapped():
            source = partial(atapped, around, self, source)
        async with aclosing(source(**options)) as inner:
            async for part in inner:
                yield part
        return

    async def parts() -> AsyncIterator[Any]:
        frame = _frame(self, config)
        with carried():
            given = await frame.abegin(input)
            while True:
                source = original(self, given, frame.config, **options)
                async with aclosing(frame.aeach(source)) as pieces:
                    async for part in pieces:
                        if not asks(part):
                            emit(frame.scope, self, part, options)
                            yield part
                given = await frame.ago_on()
                if given is None:
                    return

    with unwrapped():
        async with aclosing(scope.astream(_call(self, input, options), parts)) as recorded:
            async for part in recorded:
                yield part


def _call(graph: Any, given: Any, options: Mapping[str, Any]) -> Call:
    return Call("task", graph.get_name(), call_request(graph, given, options), adapter="langgraph")


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
