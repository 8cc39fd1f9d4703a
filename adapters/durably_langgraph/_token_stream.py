"""Tokens and what nodes write into the stream, for whoever streams a run that invokes a graph.

``invoke`` streams the graph itself. It is made to stream more than it asks for; what it did not ask
for goes to the run's stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from typing import Any

from ._parts import emit
from ._rounds import Frame

_ADDED = ("custom", "messages")


def tapped(
    frame: Frame, graph: Any, source: Callable[..., Iterator[Any]], **options: Any
) -> Iterator[Any]:
    """Yield the parts of *source* that *options* ask for, and emit the others.

    Args:
        frame: The call that the stream belongs to.
        graph: The graph.
        source: Begins the stream with options.
        options: What the stream is asked for.
    """
    more = _with_more(options)
    for part in source(**more):
        if _is_asked_for(part, options):
            yield part
        else:
            emit(frame.scope, graph, part, more)


async def atapped(
    frame: Frame, graph: Any, source: Callable[..., AsyncGenerator[Any, None]], **options: Any
) -> AsyncGenerator[Any, None]:
    """Like :func:`tapped`, for asynchronous streams."""
    more = _with_more(options)
    async for part in source(**more):
        if _is_asked_for(part, options):
            yield part
        else:
            emit(frame.scope, graph, part, more)


def _with_more(options: Mapping[str, Any]) -> Mapping[str, Any]:
    if not _tells_modes(options):
        return options
    modes = _modes(options)
    return {**options, "stream_mode": [*modes, *(one for one in _ADDED if one not in modes)]}


def _is_asked_for(part: Any, options: Mapping[str, Any]) -> bool:
    if not _tells_modes(options):
        return True
    return (part["type"] if options.get("version") == "v2" else part[0]) in _modes(options)


def _tells_modes(options: Mapping[str, Any]) -> bool:
    """Say whether the stream's parts tell their mode, so that more can be told apart."""
    return options.get("version") == "v2" or isinstance(options.get("stream_mode"), list)


def _modes(options: Mapping[str, Any]) -> list[str]:
    mode = options["stream_mode"]
    return mode if isinstance(mode, list) else [mode]
